"""The loops of counting words, compiled by Numba.

A word is identified by 128 bits: two hashes of its bytes with different multipliers, each finished
by `system.random.mix`. Of a billion different words, two have the same bits with a probability of
about 1e-21. So words are compared without reading them, and tables stay small.

The hash tables use open addressing with linear probing and 2**n slots; 0 marks an empty slot.

Numba's cache does not detect changes in other files, so all functions are in this one.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from embedkit.system.compiled import compiled
from embedkit.system.random import FIRST_MULTIPLIER, GOLDEN_GAMMA, SECOND_MULTIPLIER, mix

__all__ = [
    "HASH",
    "OFFSET",
    "TALLY",
    "copy_words",
    "distinct",
    "find",
    "insert",
    "rehash",
    "scan_text",
    "scan_tokens",
]

HASH, TALLY, OFFSET = slice(0, 2), 2, 3
"""Columns of the rows of a table: 128 bits of hash, the count, where the word's bytes begin."""

_FIRST, _SECOND = np.uint64(FIRST_MULTIPLIER), np.uint64(SECOND_MULTIPLIER)
_GAMMA = np.uint64(GOLDEN_GAMMA)
_32 = np.uint64(32)
_LOW = np.uint64((1 << 32) - 1)
_ONE = np.uint64(1)
_LAST_SEPARATOR = 32  # space
_NEWLINE = 10
_CONTINUES, _CONTINUATION = 0xC0, 0x80  # the mask and value of bytes that continue a character
_BATCH = 64  # words looked up together, so that the processor reads their slots at the same time

_mix = njit(mix)


@njit(inline="always")
def _hash_byte(state, multiplier, byte):
    state = (state ^ np.uint64(byte)) * multiplier
    return state ^ (state >> _32)


@compiled
def scan_text(text, longest, starts, lengths, hashes, ends):
    """Find and hash the tokens of a text, which are separated by bytes up to a space.

    Tokens of more than *longest* characters are left out. *ends* receives the number of tokens
    before each line end.

    Returns:
        The numbers of tokens, of line ends, and of tokens that were too long.
    """
    found, lines, too_long, place, size = 0, 0, 0, 0, len(text)
    while place < size:
        byte = text[place]
        if byte <= _LAST_SEPARATOR:
            if byte == _NEWLINE:
                ends[lines] = found
                lines += 1
            place += 1
            continue
        start, characters = place, 0
        first, second = _GAMMA, _FIRST
        while byte > _LAST_SEPARATOR:
            characters += (byte & _CONTINUES) != _CONTINUATION
            first = _hash_byte(first, _FIRST, byte)
            second = _hash_byte(second, _SECOND, byte)
            place += 1
            byte = text[place] if place < size else np.uint8(0)
        if characters > longest:
            too_long += 1
            continue
        starts[found] = start
        lengths[found] = place - start
        hashes[found, 0] = _mix(first)
        hashes[found, 1] = _mix(second)
        found += 1
    return found, lines, too_long


@compiled
def scan_tokens(text, offsets, sentences, longest, starts, lengths, hashes, ends):
    """Like `scan_text`, for tokens at text[offsets[n]:offsets[n + 1]].

    *sentences* holds the number of tokens before each end of a sentence, and *ends* receives these
    numbers without the tokens that are too long.

    Returns:
        The numbers of tokens and of tokens that were too long.
    """
    found, sentence, too_long = 0, 0, 0
    for number in range(len(offsets) - 1):
        while sentence < len(sentences) and sentences[sentence] <= number:
            ends[sentence] = found
            sentence += 1
        characters = 0
        first, second = _GAMMA, _FIRST
        for place in range(offsets[number], offsets[number + 1]):
            byte = text[place]
            characters += (byte & _CONTINUES) != _CONTINUATION
            first = _hash_byte(first, _FIRST, byte)
            second = _hash_byte(second, _SECOND, byte)
        if characters > longest:
            too_long += 1
            continue
        starts[found] = offsets[number]
        lengths[found] = offsets[number + 1] - offsets[number]
        hashes[found, 0] = _mix(first)
        hashes[found, 1] = _mix(second)
        found += 1
    ends[sentence:] = found
    return found, too_long


@compiled
def distinct(tokens, slots, starts, lengths, hashes, indices, counts):
    """Find the distinct ones of the first *tokens* tokens, in order of first occurrence.

    *starts*, *lengths* and *hashes* are those of the tokens before, and of the distinct ones after.
    *indices* receives the number of each token among the distinct ones, *counts* how often each
    occurs. *slots* must be 0.

    Returns:
        The number of distinct tokens.
    """
    size, mask = 0, np.uint64(len(slots) - 1)
    for token in range(tokens):
        first, second = hashes[token, 0], hashes[token, 1]
        slot = first & mask
        while True:
            number = slots[slot] - 1
            if number < 0:
                number = size
                size += 1
                slots[slot] = size
                starts[number], lengths[number] = starts[token], lengths[token]
                hashes[number, 0], hashes[number, 1] = first, second
                counts[number] = 0
                break
            if hashes[number, 0] == first and hashes[number, 1] == second:
                break
            slot = (slot + _ONE) & mask
        indices[token] = number
        counts[number] += 1
    return size


@njit(inline="always")
def _slot_of(slots, rows, first, second):
    """Return the slot of a word, or the empty slot where it would be inserted.

    A slot holds the upper half of the first hash and the number of the row, counted from 1.
    """
    mask = np.uint64(len(slots) - 1)
    slot = first & mask
    while slots[slot]:
        if slots[slot] >> _32 == first >> _32:
            row = (slots[slot] & _LOW) - _ONE
            if rows[row, 0] == first and rows[row, 1] == second:
                break
        slot = (slot + _ONE) & mask
    return slot


@njit(inline="always")
def _touch(slots, rows, hashes, start, stop, scratch):
    """Read the slots and rows of words; each read does not wait for the others."""
    mask = np.uint64(len(slots) - 1)
    for number in range(start, stop):
        scratch[number - start] = slots[hashes[number, 0] & mask]
    total = np.uint64(0)
    for number in range(stop - start):
        if scratch[number]:
            total += rows[(scratch[number] & _LOW) - _ONE, 0]
    scratch[0] = total  # otherwise the compiler would remove the loop


@compiled
def insert(slots, rows, size, arena, used, words, counts, ids):
    """Add words and their counts to a table; *ids* receives their row numbers.

    Args:
        slots, rows, size: the table; *rows* has room for all words.
        arena, used: where the bytes of new words are stored, and how many are.
        words: (text, starts, lengths, hashes).

    Returns:
        The new size, and the number of bytes used.
    """
    text, starts, lengths, hashes = words
    scratch = np.empty(_BATCH, dtype=np.uint64)
    for begin in range(0, len(hashes), _BATCH):
        end = min(begin + _BATCH, len(hashes))
        _touch(slots, rows, hashes, begin, end, scratch)
        for number in range(begin, end):
            first, second = hashes[number, 0], hashes[number, 1]
            slot = _slot_of(slots, rows, first, second)
            if slots[slot]:
                row = np.int64(slots[slot] & _LOW) - 1
                rows[row, 2] += np.uint64(counts[number])
            else:
                row = size
                size += 1
                slots[slot] = (first & ~_LOW) | np.uint64(size)
                rows[row, 0], rows[row, 1] = first, second
                rows[row, 2], rows[row, 3] = np.uint64(counts[number]), np.uint64(used)
                start = starts[number]
                for place in range(lengths[number]):
                    arena[used + place] = text[start + place]
                used += lengths[number]
            ids[number] = row
    return size, used


@compiled
def find(slots, rows, hashes, unknown, ids):
    """Write the row number of each word, or *unknown*."""
    scratch = np.empty(_BATCH, dtype=np.uint64)
    for begin in range(0, len(hashes), _BATCH):
        end = min(begin + _BATCH, len(hashes))
        _touch(slots, rows, hashes, begin, end, scratch)
        for number in range(begin, end):
            slot = _slot_of(slots, rows, hashes[number, 0], hashes[number, 1])
            ids[number] = np.int64(slots[slot] & _LOW) - 1 if slots[slot] else unknown


@compiled
def rehash(slots, rows, size):
    """Fill empty slots with the first *size* rows."""
    mask = np.uint64(len(slots) - 1)
    for row in range(size):
        slot = rows[row, 0] & mask
        while slots[slot]:
            slot = (slot + _ONE) & mask
        slots[slot] = (rows[row, 0] & ~_LOW) | np.uint64(row + 1)


@compiled
def copy_words(text, starts, lengths, out):
    """Copy the words to *out*, one after another."""
    written = 0
    for number in range(len(starts)):
        start = starts[number]
        for place in range(lengths[number]):
            out[written + place] = text[start + place]
        written += lengths[number]
