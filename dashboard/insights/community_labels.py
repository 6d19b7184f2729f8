"""Labels of communities for somebody who may not see every channel: no name of a hidden one is in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from dashboard.analytics.communities.labels import with_given_names
from dashboard.analytics.communities.model import MapChanges, MapCommunity
from dashboard.events import Instant
from dashboard.insights.community_model import Past

_AROUND = "around "
_SOME = "a community"


@dataclass(frozen=True, slots=True)
class SeenPast:
    """One channel in one analysis, as somebody may read it."""

    run_id: str
    created_at: Instant
    chatters: int | None
    community_label: str


def open_label(label: str, seen: Collection[str], largest: Sequence[str] = ()) -> str:
    """A label without the channels that somebody may not see.

    Args:
        label: As the analysis made it, such as "Chess · around one, two".
        seen: Names and logins of the channels they see, casefolded.
        largest: Names to take in place of those that are hidden, the largest first.

    Returns:
        The label itself when it names no channel or only such as they see.

    Caveats:
        What looks like a name and is none of theirs goes, too: a name given by hand that has "around" in
        it has to be kept by the caller.
    """
    stem, around, told = label.partition(_AROUND)
    if not around or (stem and not stem.endswith("· ")):
        return label
    names = told.split(", ")
    if all(name.casefold() in seen for name in names):
        return label
    left = list(largest[:2]) or [name for name in names if name.casefold() in seen]
    if left:
        return f"{stem}{_AROUND}{', '.join(left)}"
    return stem.removesuffix("· ").rstrip() or _SOME


def open_communities(
    communities: Sequence[MapCommunity], seen: Collection[str], largest: Sequence[Sequence[str]]
) -> tuple[MapCommunity, ...]:
    """Communities with labels that name none but visible channels, unique again; given names stay.

    Args:
        communities: Those of which something is visible.
        seen: Names and logins of the visible channels, casefolded.
        largest: The names of each one's largest visible channels.
    """
    own = [open_label(one.own_label, seen, names) for one, names in zip(communities, largest, strict=True)]
    given = [one.label if one.is_renamed else "" for one in communities]
    shown = with_given_names(own, given)
    return tuple(
        replace(one, own_label=label, label=text)
        for one, label, text in zip(communities, own, shown, strict=True)
    )


def open_changes(changes: MapChanges, kept: Collection[str], seen: Collection[str]) -> MapChanges:
    """What changed, as far as it is about visible channels.

    Args:
        changes: All of it.
        kept: Logins of the visible channels.
        seen: Their names and logins, casefolded.
    """
    return replace(
        changes,
        deaths=tuple((key, open_label(label, seen)) for key, label in changes.deaths),
        migrations=tuple(
            replace(
                move, from_label=open_label(move.from_label, seen), to_label=open_label(move.to_label, seen)
            )
            for move in changes.migrations
            if move.login in kept
        ),
        channels_entered=tuple(login for login in changes.channels_entered if login in kept),
        channels_left=(),
    )


def open_past(past: Iterable[Past], seen: Collection[str]) -> tuple[Past, ...]:
    """A channel's way through the runs, without the names of channels that are hidden."""
    return tuple(
        SeenPast(one.run_id, one.created_at, one.chatters, open_label(one.community_label, seen))
        for one in past
    )
