"""How far two words are apart, in slips of the keyboard."""

from __future__ import annotations

from collections import Counter


def slips(one: str, other: str, *, most: int) -> int:
    """How many letters were put in, left out, changed or swapped with their neighbour between two words.

    Gives most + 1 as soon as it is clear that there are more than `most`.
    Source: the restricted Damerau-Levenshtein distance ("optimal string alignment").
    """
    if one == other:
        return 0
    too_many = most + 1
    mine, theirs = Counter(one), Counter(other)
    if max((mine - theirs).total(), (theirs - mine).total()) > most:
        return too_many
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        earlier, before, row = before, row, [place]
        for column, facing in enumerate(other, 1):
            cost = min(before[column] + 1, row[-1] + 1, before[column - 1] + (letter != facing))
            if place > 1 and column > 1 and letter == other[column - 2] and facing == one[place - 2]:
                cost = min(cost, earlier[column - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return too_many
    return min(row[-1], too_many)
