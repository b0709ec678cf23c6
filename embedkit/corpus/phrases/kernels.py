"""The loops of phrase detection over token ids, compiled by Numba.

A candidate is a word, any number of connectors, and a word. Candidates are counted by the spelling
of their joined form, because that form becomes one token of the text: `new_york` + `city` is the
same phrase as `new` + `york_city`. The key of a spelling is a polynomial hash of its bytes modulo
the Mersenne prime 2**61 - 1 (Karp and Rabin 1987). The key of a joined form follows from the keys
of its parts, so no string is built. Among n spellings, the probability that any two share a key is
about n**2 / 2**62.

The hash tables use open addressing with linear probing and 2**n slots. A slot is empty if its count
(or phrase number) is 0.

The file is longer than others because Numba's cache does not detect changes in other files, so all
functions are in this one.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from embedkit.system.compiled import compiled
from embedkit.system.random import GOLDEN_GAMMA

__all__ = [
    "KEY_BITS",
    "accept",
    "candidates",
    "fill",
    "identities",
    "join",
    "look_up",
    "partition",
    "renumber",
    "spell",
    "tally",
]

KEY_BITS = 61
_PRIME = np.uint64((1 << 61) - 1)
_BASE = np.uint64(0x0B5297A4D1E36C5F)
_GAMMA = np.uint64(GOLDEN_GAMMA)  # odd, so that multiplying by it is a bijection
_LOW, _MIDDLE = np.uint64((1 << 32) - 1), np.uint64((1 << 29) - 1)
_ONE, _3, _29, _32, _BITS = map(np.uint64, (1, 3, 29, 32, 61))


@njit(inline="always")
def _reduced(number):
    """Return number modulo 2**61 - 1."""
    number = (number & _PRIME) + (number >> _BITS)
    return number - _PRIME if number >= _PRIME else number


@njit(inline="always")
def _times(first, second):
    """Return first * second modulo 2**61 - 1; both are below it."""
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
    """Return the first slot to try for a key in a table of 2**n slots (multiplicative hashing)."""
    mixed = key * _GAMMA
    return np.int64((mixed ^ (mixed >> _32)) & np.uint64(size - 1))


@njit
def _find(table_keys, table_counts, key):
    """Return the slot of a key, or the empty slot where it would be inserted."""
    slot = _slot(key, len(table_keys))
    while table_counts[slot] and table_keys[slot] != key:
        slot = (slot + 1) & (len(table_keys) - 1)
    return slot


@njit
def _identity(tokens, first, last):
    """Return a hash of the token ids of a candidate."""
    key = _BASE ^ np.uint64(last - first)  # not 0, because id 0 would leave it 0
    for position in range(first, last + 1):
        key = (key ^ np.uint64(tokens[position])) * _GAMMA
        key ^= key >> _32
    return key


@compiled
def spell(offsets, text, delimiter, heads, tails, shifts):
    """Write the hashes from which the keys of joined forms are computed.

    For each word: *heads*, its key; *tails*, the key of delimiter + word; *shifts*, the power of
    the base by which a key is multiplied before the tail of the next word is added.
    """
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


@compiled
def candidates(
    tokens, boundaries, start, stop, connects, heads, tails, shifts, state, prefix, keys, firsts,
    lasts,
):  # fmt: skip
    """Write the key, first and last position of each candidate that ends in tokens[start:stop].

    *state* holds the sentence number and the first position of the unfinished candidate (or -1),
    *prefix* its key so far. Both carry over from one call to the next.

    Returns:
        The number of candidates.
    """
    sentence, first, key, found = state[0], state[1], prefix[0], 0
    end = boundaries[sentence + 1]
    for position in range(start, stop):
        if position == end:
            sentence += 1
            end = boundaries[sentence + 1]
            first = -1
        word = tokens[position]
        if word == len(connects):  # left out of the vocabulary: no phrase contains it
            first = -1
            continue
        if first >= 0:
            key = _reduced(_times(key, shifts[word]) + tails[word])
        if not connects[word]:
            if first >= 0:
                keys[found], firsts[found], lasts[found] = key, first, position
                found += 1
            first, key = position, heads[word]
    state[0], state[1], prefix[0] = sentence, first, key
    return found


@compiled
def partition(keys, bits, ordered, offsets):
    """Sort keys by their leading *bits* bits; partition p is ordered[offsets[p]:offsets[p + 1]]."""
    down = np.uint64(KEY_BITS - bits)
    offsets[:] = 0
    for key in keys:
        offsets[np.int64(key >> down) + 1] += 1
    offsets[:] = np.cumsum(offsets)
    for key in keys:
        part = np.int64(key >> down)
        ordered[offsets[part]] = key
        offsets[part] += 1
    offsets[1:] = offsets[:-1].copy()  # each now holds the start of the next partition
    offsets[0] = 0


@compiled
def tally(table_keys, table_counts, keys, counts):
    """Add counts, one per key or a single one for all keys, to a table of 2**n slots."""
    for number in range(len(keys)):
        slot = _find(table_keys, table_counts, keys[number])
        table_keys[slot] = keys[number]
        table_counts[slot] += counts[number] if len(counts) > 1 else counts[0]


@compiled
def look_up(table_keys, table_counts, keys, counts):
    """Write the count of each key, or 0 if it is not in the table."""
    for number in range(len(keys)):
        counts[number] = table_counts[_find(table_keys, table_counts, keys[number])]


@njit(inline="always")
def _score(first, last, both, distinct, min_count, total, npmi):
    # The operations and their order are gensim's, so that rounding at the threshold is the same.
    if npmi:
        first_share, last_share, share = first / total, last / total, both / total
        return math.log(share / (first_share * last_share)) / -math.log(share)
    return (both - min_count) / np.float64(first * last) * distinct


@compiled
def accept(
    tokens, keys, firsts, lasts, word_counts, table_keys, table_counts, distinct, min_count, total,
    npmi, threshold, counts, scores,
):  # fmt: skip
    """Keep the candidates that score above the threshold, in place; return their number.

    Their keys are replaced by hashes of their token ids.
    """
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


@compiled
def identities(tokens, offsets, keys):
    """Write the hash of each phrase's ids, tokens[offsets[n]:offsets[n + 1]]."""
    for number in range(len(keys)):
        keys[number] = _identity(tokens, offsets[number], offsets[number + 1] - 1)


@njit
def _phrase(tokens, first, last, table_keys, table_phrases, parts, offsets):
    """Return the number of the phrase with the ids tokens[first:last + 1], or -1."""
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


@compiled
def join(
    tokens, boundaries, start, stop, sentence, connects, opens, table_keys, table_phrases, parts,
    offsets, joined, out, ends,
):  # fmt: skip
    """Join the phrases in tokens[start:stop], from left to right.

    Words that were left out of the vocabulary become -1.

    Returns:
        The position where the next call starts, the number of the sentence there, the number of
        tokens written to *out*, and the number of sentence ends written to *ends*.
    """
    first, size, ended = -1, 0, 0
    end = boundaries[sentence + 1]
    for position in range(start, stop):
        word = tokens[position]
        if word == len(connects):
            if first >= 0:
                for before in range(first, position):
                    out[size] = tokens[before]
                    size += 1
            first = -1
            out[size] = -1
            size += 1
        elif not connects[word]:
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


@compiled
def renumber(ids, places, order):
    """Replace ids by numbers in order of first occurrence, except -1; return how many there are.

    *order* receives the id of each number. All of *places* must be -1, and is -1 again at the end.
    """
    seen = 0
    for position in range(len(ids)):
        word = ids[position]
        if word < 0:
            continue
        if places[word] < 0:
            places[word] = seen
            order[seen] = word
            seen += 1
        ids[position] = places[word]
    for number in range(seen):
        places[order[number]] = -1
    return seen


@compiled
def fill(table_keys, table_phrases, keys):
    """Insert each key with its number, counted from 1, into an empty table of 2**n slots."""
    for number in range(len(keys)):
        slot = _slot(keys[number], len(table_keys))
        while table_phrases[slot]:
            slot = (slot + 1) & (len(table_keys) - 1)
        table_keys[slot] = keys[number]
        table_phrases[slot] = number + 1
