"""Evidence about a cohort besides its age, each beside the rest of the same crowd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np

from dashboard.analytics.arrivals import Share, Synchrony, arrival_synchrony, share_of, silent_share
from dashboard.analytics.cohort_words import CohortEvidence, percent_words
from dashboard.analytics.name_shapes import NameShape, name_shapes
from dashboard.insights.chatters_crowd import UNKNOWN, Flags, Numbers
from dashboard.insights.chatters_model import Finding
from dashboard.insights.chatters_tested import Tested

MOST_NAMES: Final = 60
"""So many logins of a cohort are compared, evenly spread: what chance gives is drawn 200 times."""
MOST_COMPARED: Final = 5
"""Names are compared in so many cohorts, the strongest: it is the slowest part of an analysis."""
_MOST_OTHERS: Final = 4_000
_NOTABLE_P: Final = 0.01
_LEAST_TOGETHER: Final = 3
_MOST_CHANNELS: Final = 3

Met = dict[str, set[str]]
"""By other channel, the ids of the people of the crowd that were met there."""


def evidence_of(tested: Tested, number: int, met: Met) -> tuple[CohortEvidence, tuple[Finding, ...]]:
    """What is known of one cohort besides its age.

    Args:
        tested: The test that found it.
        number: Of the cohort.
        met: Where else its people were met.

    Returns:
        The same as figures for the verdict, and as lines for the page.
    """
    those, rest = tested.cohort == number, tested.known & (tested.cohort == 0)
    silent, silent_others = _silence(tested, those), _silence(tested, rest)
    came, how = _arrivals(tested, those, rest)
    follows = _follows(tested, those, rest)
    names = _names(tested, those, rest) if number <= MOST_COMPARED else None
    findings = (
        _silence_line(tested, silent, silent_others),
        _synchrony_line("arrival", "Came together", came, how),
        _names_line(names, int(those.sum())),
        _synchrony_line("follow_time", "Followed together", follows, _why_no_follows(tested)),
        _channels_line(tested, those, rest, met),
        _label_line(tested, those, rest),
        _renames_line(tested, those, rest),
    )
    if names and names.pattern and names.name_count < int(those.sum()):
        # The verdict's “60 of 60 logins …” has to say that it is not all of them.
        names = replace(names, pattern=f"looked at {names.pattern}")
    told = CohortEvidence(
        silent=silent, silent_others=silent_others, arrivals=came, follows=follows, names=names
    )
    return told, findings


def _some(logins: Sequence[str], those: Flags, most: int) -> list[str]:
    """Evenly spread ones, at most so many."""
    at = np.flatnonzero(those)
    if len(at) > most:
        at = at[np.linspace(0, len(at) - 1, most).round().astype(np.int64)]
    return [login for i in at.tolist() if (login := logins[i])]


def _silence(tested: Tested, those: Flags) -> Share | None:
    if tested.crowd.source != "connected" or not tested.chat.is_observed or tested.is_chosen_by_voice:
        return None
    return silent_share(tested.chat.message_count[those])


def _arrivals(tested: Tested, those: Flags, rest: Flags) -> tuple[Synchrony | None, str]:
    """When they came, by the best that is known, and what that is (or why nothing is)."""
    times, how = _arrival_times(tested)
    if times is None:
        return None, how
    came, others = _known(times, those), _known(times, rest)
    if len(came) * 2 < int(those.sum()):
        return None, f"When they came is known of {len(came):,} of {int(those.sum()):,} only."
    return arrival_synchrony(came, others), how


def _arrival_times(tested: Tested) -> tuple[Numbers | None, str]:
    crowd, chat = tested.crowd, tested.chat
    if chat.join_count and (chat.joined_at != UNKNOWN).mean() > 0.5:
        return chat.joined_at, "by Twitch's list of who joined"
    if crowd.source == "spoke":
        return chat.first_spoke_at, "by their first message"
    if len(crowd.captures) > 1:
        return crowd.listed_at, "by the first of these lists that they were in"
    return None, "Not known: Twitch told too few arrivals, and there is one list only. Capture again later."


def _follows(tested: Tested, those: Flags, rest: Flags) -> Synchrony | None:
    if not tested.chat.is_follow_known:
        return None
    came = _known(tested.chat.followed_at, those)
    return arrival_synchrony(came, _known(tested.chat.followed_at, rest)) if len(came) else None


def _why_no_follows(tested: Tested) -> str:
    if not tested.chat.is_follow_known:
        return "Who follows this channel was not read."
    return "None of them follows." if tested.chat.is_follow_complete else "No follow of theirs is known."


def _known(times: Numbers, those: Flags) -> Numbers:
    return times[those & (times != UNKNOWN)]


def _silence_line(tested: Tested, silent: Share | None, others: Share | None) -> Finding:
    label = "Have not spoken"
    if silent is None:
        is_spoke = tested.crowd.source == "spoke"
        why = "Everybody in this list spoke." if is_spoke else "Not known: this chat was not read."
        if tested.is_chosen_by_voice:
            why = "They were chosen by it, so it says nothing."
        return Finding("silent", label, why, missing=why)
    return _share_line("silent", label, silent, others)


def _share_line(
    key: str, label: str, share: Share, others: Share | None, *, least: int = 1, details: tuple[str, ...] = ()
) -> Finding:
    """A share of the cohort beside that of the rest; notable when its interval lies above the rest's."""
    rest = others.share if others else None
    words = f"{share.count:,} of {share.total:,}"
    if share.share is not None:
        words += f" ({percent_words(share.low)} to {percent_words(share.high)})"
    if rest is not None:
        words += f"; of the others {percent_words(rest)}"
    return Finding(
        key,
        label,
        words,
        count=share.count,
        of_count=share.total,
        share=share.share,
        low=share.low,
        high=share.high,
        rest_count=others.count if others else None,
        rest_of_count=others.total if others else None,
        rest_share=rest,
        is_notable=others is not None
        and others.total > 0
        and share.count >= least
        and share.low > others.high,
        details=details,
    )


def _synchrony_line(key: str, label: str, found: Synchrony | None, how: str) -> Finding:
    if found is None:
        return Finding(key, label, how, missing=how)
    if found.start_us is None:
        why = f"Known of {found.together.total:,} only: too few to say."
        return Finding(key, label, why, missing=why)
    line = _share_line(key, label, found.together, found.others)
    words = f"{found.together.count:,} of {found.together.total:,} within {found.window_s} s"
    if found.others.share is not None:
        words += f"; of the others {percent_words(found.others.share)} in the same time"
    if key == "arrival":
        words += f" ({how})"
    return Finding(
        key,
        label,
        words,
        count=line.count,
        of_count=line.of_count,
        share=line.share,
        low=line.low,
        high=line.high,
        rest_count=line.rest_count,
        rest_of_count=line.rest_of_count,
        rest_share=line.rest_share,
        is_notable=found.p is not None and found.p <= _NOTABLE_P,
    )


def _names(tested: Tested, those: Flags, rest: Flags) -> NameShape:
    logins = tested.crowd.user_login
    return _shapes(tuple(_some(logins, those, MOST_NAMES)), tuple(_some(logins, rest, _MOST_OTHERS)))


@lru_cache(maxsize=64)
def _shapes(those: tuple[str, ...], rest: tuple[str, ...]) -> NameShape:
    """Names stay the same while chat goes on, and comparing them is the slowest part of an analysis."""
    return name_shapes(those, rest)


def _names_line(names: NameShape | None, account_count: int) -> Finding:
    label = "Alike names"
    if names is None:
        why = f"Compared in the {MOST_COMPARED} strongest cohorts only."
        return Finding("names", label, why, missing=why)
    if names.share is None:
        why = f"Too few names: {names.name_count}."
        return Finding("names", label, why, missing=why)
    if not names.pattern:
        return Finding("names", label, "No common pattern.", count=0, of_count=names.name_count, share=0.0)
    found = share_of(names.match_count, names.name_count)
    looked_at = " looked at" if names.name_count < account_count else ""
    words = f"{names.match_count:,} of {names.name_count:,}{looked_at} {names.pattern}"
    if names.usual_share is not None:
        words += f"; {percent_words(names.usual_share)} is usual among the others"
    return Finding(
        "names",
        label,
        words,
        count=names.match_count,
        of_count=names.name_count,
        share=names.share,
        low=found.low,
        high=found.high,
        rest_share=names.usual_share,
        is_notable=names.p is not None and names.p <= _NOTABLE_P,
        details=(names.pattern,),
    )


def _channels_line(tested: Tested, those: Flags, rest: Flags, met: Met) -> Finding:
    label = "Met in another channel"
    ids = tested.crowd.user_id
    here = {ids[i] for i in np.flatnonzero(those)}
    others = {ids[i] for i in np.flatnonzero(rest)}
    lines = [
        (room, share_of(len(people & here), len(here)), share_of(len(people & others), len(others)))
        for room, people in met.items()
        if len(people & here) >= _LEAST_TOGETHER
    ]
    if not lines:
        why = "No other channel of the survey has three of them." if met else "No survey of other channels."
        return Finding("channels", label, why, missing=None if met else why)
    lines.sort(key=lambda line: (-(line[1].low - (line[2].share or 0.0)), line[0]))
    room, share, usual = lines[0]
    names = tuple(f"{room}: {share.count:,} of {share.total:,}" for room, share, _ in lines[:_MOST_CHANNELS])
    return _share_line("channels", f"Also met in {room}", share, usual, least=_LEAST_TOGETHER, details=names)


def _label_line(tested: Tested, those: Flags, rest: Flags) -> Finding:
    label = "Labelled suspicious by Twitch"
    if not tested.chat.is_label_known:
        why = "Twitch told no such label for this channel."
        return Finding("suspicious", label, why, missing=why)
    labelled = np.array([name is not None for name in tested.chat.label], dtype=np.bool_)
    return _counted("suspicious", label, labelled, those, rest)


def _renames_line(tested: Tested, those: Flags, rest: Flags) -> Finding:
    return _counted("renames", "Changed their name", tested.crowd.rename_count > 0, those, rest)


def _counted(key: str, label: str, has: Flags, those: Flags, rest: Flags) -> Finding:
    share = share_of(int((has & those).sum()), int(those.sum()))
    others = share_of(int((has & rest).sum()), int(rest.sum()))
    return _share_line(key, label, share, others, least=2)
