"""The test of a crowd: who is in it, which cohorts stand out, and who belongs to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dashboard.analytics.account_ages import AgeAnalysis, Baseline, find_cohorts
from dashboard.insights.chatters_chat import CrowdChat, traits_of
from dashboard.insights.chatters_crowd import UNKNOWN, Crowd, Flags, Numbers
from dashboard.insights.chatters_model import TRAITS, Trait

TRAIT_WORDS: Final[dict[Trait, str]] = {
    "silent": "silent",
    "spoke": "spoke",
    "first_seen": "first seen in this capture",
    "follows": "follow the channel",
}


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """What one test was made of, and what came out."""

    crowd: Crowd
    chat: CrowdChat
    baseline: Baseline
    chosen: Flags
    """The accounts with the chosen traits, without services; their age known or not."""
    known: Flags
    """Of them, those with a known creation date."""
    days: Numbers
    """Creation days of those, in their order."""
    analysis: AgeAnalysis
    cohort: Numbers
    """By person, the number of their cohort; 0 is none."""
    traits: Mapping[str, Flags]
    selected: frozenset[Trait] = frozenset()
    """The chosen traits themselves."""

    @property
    def is_chosen_by_voice(self) -> bool:
        """Whether only those who spoke, or only those who did not, were looked at."""
        return len(self.selected & {"silent", "spoke"}) == 1


def run_test(
    crowd: Crowd,
    chat: CrowdChat,
    baseline: Baseline,
    traits: frozenset[Trait] = frozenset(),
    among: Flags | None = None,
) -> Tested:
    """Looks for cohorts among the accounts with some traits.

    Args:
        crowd: The people.
        chat: What chat tells of them.
        baseline: What is usual.
        traits: See :class:`~dashboard.insights.chatters_model.Selection`.
        among: Only these; None is all.

    Caveats:
        Each choice of traits is a test of its own; their q-values do not know of each other.
    """
    has = traits_of(crowd, chat)
    chosen = ~crowd.is_service & chosen_by(has, traits, len(crowd))
    if among is not None:
        chosen &= among
    created_day = crowd.created_day
    known = chosen & (created_day != UNKNOWN)
    days = created_day[known]
    n_unknown = int(chosen.sum()) - len(days)
    analysis = find_cohorts(days, baseline, as_of_day=crowd.as_of_day, n_unknown=n_unknown)
    cohort = np.zeros(len(crowd), dtype=np.int64)
    # The strongest is first, so it is written last and wins where two share a day.
    for number, found in reversed(list(enumerate(analysis.cohorts, 1))):
        cohort[known & (created_day >= found.start_day) & (created_day <= found.end_day)] = number
    return Tested(crowd, chat, baseline, chosen, known, days, analysis, cohort, has, traits)


def chosen_by(has: Mapping[str, Flags], traits: frozenset[Trait], count: int) -> Flags:
    """Who has the traits: silent or spoke (either, where both are wanted), and every other one.

    A trait that can't be known leaves nobody.
    """
    nobody = np.zeros(count, dtype=np.bool_)
    chosen = np.ones(count, dtype=np.bool_)
    voices = traits & {"silent", "spoke"}
    if voices:
        chosen &= np.any([has.get(trait, nobody) for trait in sorted(voices)], axis=0)
    for trait in sorted(traits - {"silent", "spoke"}):
        chosen &= has.get(trait, nobody)
    return chosen


def trait_words(traits: frozenset[Trait]) -> str:
    """Who is looked at: ``all accounts``, ``accounts that are silent and first seen in this capture``."""
    if not traits:
        return "all accounts"
    voices = [TRAIT_WORDS[trait] for trait in TRAITS[:2] if trait in traits]
    others = [TRAIT_WORDS[trait] for trait in TRAITS if trait in traits and trait not in ("silent", "spoke")]
    return "accounts: " + _and([" or ".join(voices)] * bool(voices) + others)


def _and(parts: Sequence[str]) -> str:
    return " and ".join(parts)
