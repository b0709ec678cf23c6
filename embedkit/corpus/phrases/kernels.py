"""The loops over token ids behind phrases, compiled by Numba.

A candidate is a word, any number of connectors, and a word. It is counted by how its words are
spelled when they are joined, as its joined form will be one word of the text: `new_york` and `city`
make the same phrase as `new` and `york_city`. The key of a spelling is a polynomial over its bytes
modulo the prime 2**61 - 1 (Karp and Rabin 1987), which can be put together from those of its parts,
so no string is made. Two of n spellings share a key with a probability of about n**2 / 2**62.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from embedkit.system.random import GOLDEN

__all__ = [
    "KEY_BITS",
    "accept",
    "candidates",
    "fill",
    "identities",
    "join",
    "look_up",
    "number_by_sight",
    "partition",
    "spell",
    "tally",
]

KEY_BITS = 61
_PRIME = np.uint64((1 << 61) - 1)
_BASE = np.uint64(0x0B5297A4D1E36C5F)
_GOLDEN = np.uint64(GOLDEN)  # odd, so that multiplying by it is a bijection
_LOW, _MIDDLE = np.uint64((1 << 32) - 1), np.uint64((1 << 29) - 1)
_ONE, _3, _29, _32, _BITS = map(np.uint64, (1, 3, 29, 32, 61))


def _compiled(function: Callable[..., Any]) -> Any:
    try:
        return njit(function, nogil=True, cache=True)
    except RuntimeError:  # Numba found no folder that it may write to
        return njit(function, nogil=True)


@njit(inline="always")
def _reduced(number):
    number = (number & _PRIME) + (number >> _BITS)
    return number - _PRIME if number >= _PRIME else number


@njit(inline="always")
def _times(first, second):
    """Return the product modulo 2**61 - 1 of two numbers below it."""
    low, high = first & _LOW, first >> _32
    other_low, other_high = second & _LOW, second >> _32
    lowest = low * other_low
    middle = low * other_high + high * other_low
    return _reduced(
        (high * other_high << _3)
        + (middle >> _29)
        + ((middle & _MIDDLE) << _32)
        + (lowest & _PRIME)
        + (lowest >> _BITS)
    )


@njit(inline="always")
def _slot(key, size):
    """Return where to look for a key first in a table of 2**n slots."""
    mixed = key * _GOLDEN
    return np.int64((mixed ^ (mixed >> _32)) & np.uint64(size - 1))


@njit
def _find(table_keys, table_counts, key):
    """Return the slot that holds a key, or the empty one where it belongs."""
    slot = _slot(key, len(table_keys))
    while table_counts[slot] and table_keys[slot] != key:
        slot = (slot + 1) & (len(table_keys) - 1)
    return slot


@njit
def _identity(tokens, first, last):
    """Return a key of token ids, those of one candidate."""
    key = _BASE ^ np.uint64(last - first)  # nothing near 0, which few small ids would keep at 0
    for position in range(first, last + 1):
        key = (key ^ np.uint64(tokens[position])) * _GOLDEN
        key ^= key >> _32
    return key


@_compiled
def spell(offsets, text, delimiter, heads, tails, shifts):
    """Write the key of each word, of delimiter and word, and the power that makes room for both."""
    mark, mark_power = np.uint64(0), _ONE
    for byte in delimiter:
        mark = _reduced(_times(mark, _BASE) + np.uint64(byte) + _ONE)
        mark_power = _times(mark_power, _BASE)
    for word in range(len(heads)):
        key, power = np.uint64(0), _ONE
        for place in range(offsets[word], offsets[word + 1]):
            key = _reduced(_times(key, _BASE) + np.uint64(text[place]) + _ONE)
            power = _times(power, _BASE)
        heads[word] = key
        tails[word] = _reduced(_times(mark, power) + key)
        shifts[word] = _times(mark_power, power)


@_compiled
def candidates(
    tokens, boundaries, start, stop, connects, heads, tails, shifts, place, begun, keys, firsts,
    lasts,
):  # fmt: skip
    """Write key, first and last position of the candidates that end between start and stop.

    *place* is the number of the sentence and the position where the candidate under way begins, or
    -1; *begun* is its key. Both go from one call to the next.
    """
    sentence, first, key, found = place[0], place[1], begun[0], 0
    end = boundaries[sentence + 1]
    for position in range(start, stop):
        if position == end:
            sentence += 1
            end = boundaries[sentence + 1]
            first = -1
        word = tokens[position]
        if first >= 0:
            key = _reduced(_times(key, shifts[word]) + tails[word])
        if not connects[word]:
            if first >= 0:
                keys[found], firsts[found], lasts[found] = key, first, position
                found += 1
            first, key = position, heads[word]
    place[0], place[1], begun[0] = sentence, first, key
    return found


@_compiled
def partition(keys, bits, ordered, offsets):
    """Order keys by their first *bits* bits; part p is ordered[offsets[p]:offsets[p + 1]]."""
    down = np.uint64(61 - bits)
    offsets[:] = 0
    for key in keys:
        offsets[np.int64(key >> down) + 1] += 1
    offsets[:] = np.cumsum(offsets)
    for key in keys:
        part = np.int64(key >> down)
        ordered[offsets[part]] = key
        offsets[part] += 1
    offsets[1:] = offsets[:-1].copy()  # each had moved on to where the next part begins
    offsets[0] = 0


@_compiled
def tally(table_keys, table_counts, keys, counts):
    """Add counts, one for all or one a key, to a table of 2**n slots."""
    for number in range(len(keys)):
        slot = _find(table_keys, table_counts, keys[number])
        table_keys[slot] = keys[number]
        table_counts[slot] += counts[number] if len(counts) > 1 else counts[0]


@_compiled
def look_up(table_keys, table_counts, keys, counts):
    """Write the count of each key, 0 if it is not in the table."""
    for number in range(len(keys)):
        counts[number] = table_counts[_find(table_keys, table_counts, keys[number])]


@njit(inline="always")
def _score(first, last, both, distinct, min_count, total, npmi):
    # The operations and their order are gensim's, so that ties with a threshold are broken alike.
    if npmi:
        first_share, last_share, share = first / total, last / total, both / total
        return math.log(share / (first_share * last_share)) / -math.log(share)
    return (both - min_count) / np.float64(first * last) * distinct


@_compiled
def accept(
    tokens, keys, firsts, lasts, word_counts, table_keys, table_counts, distinct, min_count, total,
    npmi, threshold, counts, scores,
):  # fmt: skip
    """Keep the candidates of a higher score than the threshold, in place; return how many."""
    kept = 0
    for number in range(len(keys)):
        both = table_counts[_find(table_keys, table_counts, keys[number])]
        if not both:
            continue
        first, last = word_counts[tokens[firsts[number]]], word_counts[tokens[lasts[number]]]
        score = _score(first, last, both, distinct, min_count, total, npmi)
        if score > threshold:
            keys[kept] = _identity(tokens, firsts[number], lasts[number])
            firsts[kept], lasts[kept] = firsts[number], lasts[number]
            counts[kept], scores[kept] = both, score
            kept += 1
    return kept


@_compiled
def identities(tokens, offsets, keys):
    """Write the key of each run of ids, tokens[offsets[n]:offsets[n + 1]]."""
    for number in range(len(keys)):
        keys[number] = _identity(tokens, offsets[number], offsets[number + 1] - 1)


@njit
def _phrase(tokens, first, last, table_keys, table_phrases, parts, offsets):
    """Return the number of the phrase that is tokens[first:last + 1], or -1."""
    key = _identity(tokens, first, last)
    slot = _slot(key, len(table_keys))
    while table_phrases[slot]:
        if table_keys[slot] == key:
            number = table_phrases[slot] - 1
            begin = offsets[number]
            same = offsets[number + 1] - begin == last - first + 1
            for step in range(last - first + 1 if same else 0):
                same = same and tokens[first + step] == parts[begin + step]
            if same:
                return number
        slot = (slot + 1) & (len(table_keys) - 1)
    return -1


@_compiled
def join(
    tokens, boundaries, start, stop, sentence, connects, opens, table_keys, table_phrases, parts,
    offsets, joined, out, ends,
):  # fmt: skip
    """Join from the left what stands between start and stop.

    Return the position to go on from, the number of the sentence there, the tokens written to *out*
    and the sentences that ended, whose places are in *ends*.
    """
    first, size, ended = -1, 0, 0
    end = boundaries[sentence + 1]
    for position in range(start, stop):
        word = tokens[position]
        if not connects[word]:
            number = -1
            if first >= 0:
                if opens[tokens[first]]:
                    number = _phrase(
                        tokens, first, position, table_keys, table_phrases, parts, offsets
                    )
                if number >= 0:
                    out[size] = joined[number]
                    size += 1
                else:
                    for before in range(first, position):
                        out[size] = tokens[before]
                        size += 1
            first = -1 if number >= 0 else position
        elif first < 0:
            out[size] = word
            size += 1
        if position + 1 == end:
            if first >= 0:
                for before in range(first, end):
                    out[size] = tokens[before]
                    size += 1
            first = -1
            ends[ended] = size
            ended += 1
            sentence += 1
            if sentence + 1 < len(boundaries):
                end = boundaries[sentence + 1]
    return stop if first < 0 else first, sentence, size, ended


@_compiled
def number_by_sight(ids, places, order):
    """Replace ids by numbers in order of first sight; *places* is -1 for all before and after."""
    seen = 0
    for position in range(len(ids)):
        word = ids[position]
        if places[word] < 0:
            places[word] = seen
            order[seen] = word
            seen += 1
        ids[position] = places[word]
    for number in range(seen):
        places[order[number]] = -1
    return seen


@_compiled
def fill(table_keys, table_phrases, keys):
    """Put the number of each key, counted from 1, into an empty table of 2**n slots."""
    for number in range(len(keys)):
        slot = _slot(keys[number], len(table_keys))
        while table_phrases[slot]:
            slot = (slot + 1) & (len(table_keys) - 1)
        table_keys[slot] = keys[number]
        table_phrases[slot] = number + 1
