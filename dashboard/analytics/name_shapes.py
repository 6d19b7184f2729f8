"""Evidence beside age: whether logins look as if they were made by one pattern."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt

LEAST_NAMES: Final = 5
_AFFIX: Final = (3, 4, 5, 6, 8)
"""Lengths of common beginnings and ends that are tried."""
_BEGINS, _ENDS, _HAS_FORM = "b", "e", "f"
_DRAWS: Final = 100
_DRAWN: Final = 100
"""Names of a draw at most; fewer names agree more easily, so this only errs towards chance."""
_LOOKED_AT: Final = 60
"""Names whose edit distances are measured: pairs grow with the square."""
_SEED: Final = 20_070_101


@dataclass(frozen=True, slots=True)
class NameShape:
    """What the logins of a cohort have in common, and how much of that chance explains."""

    name_count: int
    pattern: str
    """In words: ``begin with “raid”``; empty when there is none."""
    match_count: int
    """Logins that fit the pattern."""
    share: float | None
    """``match_count`` ÷ ``name_count``; ``None`` with fewer than five names."""
    usual_share: float | None
    """The best pattern's share in as many names drawn from the rest of the room, on average."""
    p: float | None
    """Share of such draws that agree as well; never below 1 / 101."""
    similarity: float | None
    """0..1: 1 − edit distance ÷ length, of each login with the one nearest to it, on average."""
    usual_similarity: float | None
    """The same in names drawn from the rest of the room."""


def name_shapes(logins: Sequence[str], others: Sequence[str] = ()) -> NameShape:
    """Finds the pattern most of the logins share: a beginning, an end or a form of letters and digits.

    Args:
        logins: Of the cohort.
        others: Of the rest of the room: what chance gives is drawn from them.

    Returns:
        The pattern; nothing but the count with fewer than five names. ``usual_…`` and ``p`` are ``None``
        when the rest of the room has fewer names than the cohort.

    Caveats:
        Friends and fans of one game name themselves alike; this is evidence about a group, no proof.
    """
    names = [login.lower() for login in logins if login]
    if len(names) < LEAST_NAMES:
        return NameShape(len(names), "", 0, None, None, None, None, None)
    pattern, matches = _best_pattern(names)
    similarity = _similarity(names)
    rest = [login.lower() for login in others if login]
    usual_share = p = usual_similarity = None
    if len(rest) >= len(names):
        chance = np.random.default_rng(_SEED)
        size = min(len(names), _DRAWN)
        picks = [chance.choice(len(rest), size, replace=False) for _ in range(_DRAWS)]
        draws = [[rest[index] for index in pick] for pick in picks]
        counts = np.array([_best_pattern(draw)[1] for draw in draws])
        usual_share = float(counts.mean()) / size
        p = (1 + int((counts * len(names) >= matches * size).sum())) / (_DRAWS + 1)
        usual_similarity = float(np.mean([_similarity(draw) for draw in draws[:10]]))
    share = matches / len(names)
    return NameShape(len(names), pattern, matches, share, usual_share, p, similarity, usual_similarity)


def _best_pattern(names: Sequence[str]) -> tuple[str, int]:
    """The pattern with most names; of equals the one that says more."""
    found = Counter(chain.from_iterable(map(_patterns, names)))
    count = max(found.values())
    best = max(
        (pattern for pattern, names_of in found.items() if names_of == count),
        key=lambda pattern: (pattern[0] != _HAS_FORM, len(pattern)),
    )
    if count < 2:
        return "", 0
    kind, text = best[0], best[1:]
    if kind == _HAS_FORM:
        return f"have the form {text}", count
    return f"{'begin' if kind == _BEGINS else 'end'} with “{text}”", count


@lru_cache(maxsize=10_000)
def _patterns(name: str) -> tuple[str, ...]:
    """Every pattern that a name fits, led by a letter for its kind; a name is drawn more than once."""
    lengths = [length for length in _AFFIX if len(name) > length]
    begins = [_BEGINS + name[:length] for length in lengths]
    ends = [_ENDS + name[-length:] for length in lengths]
    return (*begins, *ends, _HAS_FORM + _form(name))


def _form(name: str) -> str:
    """Letters with digits behind: ``letters + 4 digits``; what else there is, in runs."""
    runs = re.findall(r"[a-z]+|\d+|[^a-z\d]+", name)
    words = []
    for run in runs:
        if run.isdigit():
            words.append(f"{len(run)} digit{'s' if len(run) > 1 else ''}")
        else:
            words.append("letters" if run.isalpha() else run)
    # Letters alone is what a third of all names are.
    return " + ".join(words) if len(words) > 1 else f"{len(name)} {'digits' if name.isdigit() else 'letters'}"


def _similarity(names: Sequence[str]) -> float:
    """Mean over the names of the similarity with the nearest other name."""
    some = list(names[:: -(-len(names) // _LOOKED_AT)])
    left, right = np.triu_indices(len(some), 1)
    lengths = np.array([len(name) for name in some])
    distance = edit_distances([some[i] for i in left], [some[j] for j in right])
    alike = 1 - distance / np.maximum(lengths[left], lengths[right])
    nearest = np.zeros(len(some))
    np.maximum.at(nearest, left, alike)
    np.maximum.at(nearest, right, alike)
    return float(nearest.mean())


def edit_distances(left: Sequence[str], right: Sequence[str]) -> npt.NDArray[np.int64]:
    """Levenshtein distance of each pair: letters to put in, take out or change.

    Args:
        left: One side of each pair.
        right: The other side, as many.
    """
    if not left:
        return np.zeros(0, dtype=np.int64)
    a, a_length = _codes(left, -1)
    b, b_length = _codes(right, -2)
    # Letters first and pairs last: each step goes over memory in its order.
    table = np.empty((len(a) + 1, len(b) + 1, len(left)), dtype=np.int32)
    table[0] = np.arange(len(b) + 1, dtype=np.int32)[:, None]
    for i in range(len(a)):
        above, here = table[i], table[i + 1]
        here[0] = i + 1
        change = above[:-1] + (a[i] != b)
        np.minimum(change, above[1:] + 1, out=change)
        for j in range(len(b)):
            np.minimum(change[j], here[j] + 1, out=here[j + 1])
    return table[a_length, b_length, np.arange(len(left))].astype(np.int64)


def _codes(names: Sequence[str], filler: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """One row a letter, one column a name; and how long each name is."""
    lengths = np.array([len(name) for name in names])
    width = max(int(lengths.max()), 1)
    letters = np.array(names, dtype=f"U{width}").view(np.uint32).reshape(len(names), width)
    codes = letters.astype(np.int32).T.copy()
    codes[np.arange(width)[:, None] >= lengths] = filler
    return codes, lengths
