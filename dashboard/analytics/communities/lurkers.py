"""Accounts that sit in implausibly many channels at once: they tie together what has nothing in common."""

from __future__ import annotations

from typing import Final

import numpy as np

from dashboard.analytics.communities.inputs import Bools, Ints, Presence

LEAST_AT_ONCE: Final = 5
"""Below this many channels nobody is called a lurker, whatever the statistics say."""
EXPECTED_BEYOND: Final = 0.05
"""The statistics' limit lies where so many chatters are to be expected beyond it."""
_BULK: Final = 0.99
_LEAST_CHATTERS: Final = 200


def at_once(presence: Presence) -> Ints:
    """In how many channels each chatter was at once, as far as the source tells.

    Returns:
        The most channels in a single poll where polls are known, else the channels in the whole period.
    """
    if presence.most_at_once is not None:
        return presence.most_at_once
    return channel_counts(presence)


def channel_counts(presence: Presence) -> Ints:
    """In how many channels each chatter was seen in the whole period."""
    return np.bincount(presence.chatter_index, minlength=presence.n_chatters).astype(np.int64)


def lurkers(presence: Presence, *, rule: int, with_statistics: bool) -> Bools:
    """Who is in implausibly many channels at once.

    Args:
        presence: Who was seen where.
        rule: So many channels at once are implausible; 0: no rule.
        with_statistics: Also by ``statistical_limit``.

    Returns:
        For each chatter whether it is one.

    Caveats:
        People who only spoke are no lurkers by the rule unless polls tell how many channels they were in at
        once: over weeks somebody may well write in twenty.
    """
    counts = at_once(presence)
    found = np.zeros(len(counts), dtype=bool)
    if rule and not (presence.seen_as == "speakers" and presence.most_at_once is None):
        found |= counts >= rule
    if with_statistics:
        limit = statistical_limit(counts)
        if limit is not None:
            found |= counts >= limit
    return found


def statistical_limit(counts: Ints) -> int | None:
    """From how many channels on chance among these chatters expects nobody.

    A negative binomial is fitted to the bulk (all but the highest hundredth), so that the few in
    question do not explain themselves; the limit lies where fewer than ``EXPECTED_BEYOND`` chatters are
    to be expected at or beyond it, and never below ``LEAST_AT_ONCE`` or a gap: whoever is there must also
    be in at least twice as many channels as the busiest of the bulk.

    Args:
        counts: Channels of each chatter.

    Returns:
        The limit; ``None`` with too few chatters to say.
    """
    from scipy.special import betainc

    seen = counts[counts > 0]
    if len(seen) < _LEAST_CHATTERS:
        return None
    busiest = int(np.quantile(seen, _BULK))
    bulk = seen[seen <= busiest] - 1
    mean = max(float(bulk.mean()), 1e-6)
    spread = max(float(bulk.var()), mean * 1.0001)
    p = mean / spread
    r = mean * p / (1 - p)
    beyond = np.arange(1, int(seen.max()) + 2)
    expected = len(seen) * betainc(beyond.astype(float), r, 1 - p)  # P(X >= k) of a negative binomial
    implausible = beyond[expected < EXPECTED_BEYOND]
    if not len(implausible):
        return None
    return max(int(implausible[0]) + 1, 2 * busiest, LEAST_AT_ONCE)
