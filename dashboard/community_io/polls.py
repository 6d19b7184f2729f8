"""Presence from polls: files that list who was in which chat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dashboard.analytics.communities.inputs import UNKNOWN, Channels, Presence
from dashboard.community_io.polls_parse import Poll, Seen, parse_polls
from dashboard.community_io.texts import short_name
from dashboard.errors import RecordingError


@dataclass(frozen=True, slots=True)
class ReadPolls:
    """Presence from files."""

    presence: Presence
    notes: tuple[str, ...]
    """What was merged and left out, in sentences."""


@dataclass(slots=True)
class _Room:
    """A channel over all polls."""

    spellings: Counter[str] = field(default_factory=Counter)
    games: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    viewers: list[int] = field(default_factory=list)
    people: Counter[int] = field(default_factory=Counter)


def read_polls(paths: Sequence[Path]) -> ReadPolls:
    """Reads polls: connected people by login, in how many polls each was seen where.

    Args:
        paths: Files, and folders whose JSON files are read.

    Returns:
        The presence of all polls together and what had to be mended.

    Raises:
        RecordingError: A file is no poll; names the file, the line and the cure.
    """
    files = _files(paths)
    polls = [poll for path in files for poll in parse_polls(path)]
    rooms: dict[str, _Room] = {}
    numbers: dict[str, int] = {}
    most: Counter[int] = Counter()
    repeats = skipped = case_merged = 0
    for poll in polls:
        at_once: Counter[int] = Counter()
        skipped += poll.skipped
        by_channel = _by_channel(poll)
        case_merged += len(poll.seen) - len(by_channel)
        for login, seen in by_channel.items():
            logins = [person for one in seen for person in one.people]
            people = {numbers.setdefault(person, len(numbers)) for person in logins}
            repeats += len(logins) - len(people)
            at_once.update(people)
            _note(rooms.setdefault(login, _Room()), seen, people)
        for person, count in at_once.items():
            most[person] = max(most[person], count)
    presence = _presence(rooms, numbers, most, polls, [f"poll {short_name(path)}" for path in files])
    if not presence.n_pairs:
        raise RecordingError(f"{files[0]}: every list of people is empty. Record the polls again.")
    return ReadPolls(presence, tuple(_notes(polls, case_merged, repeats, skipped)))


def _files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                file
                for file in path.iterdir()
                if file.name.lower().endswith((".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson"))
            )
            if not inside:
                raise RecordingError(f"{path}: no JSON file in that folder.")
            found += inside
        else:
            found.append(path)
    return found


def _by_channel(poll: Poll) -> dict[str, list[Seen]]:
    found: dict[str, list[Seen]] = {}
    for seen in poll.seen:
        login = seen.channel.strip().lstrip("#").lower()
        if login:
            found.setdefault(login, []).append(seen)
    return found


def _note(room: _Room, seen: Sequence[Seen], people: set[int]) -> None:
    for one in seen:
        room.spellings[one.channel.strip().lstrip("#")] += 1
        room.games.update([one.game] if one.game else [])
        room.languages.update([one.language] if one.language else [])
        room.viewers += [one.viewers] if one.viewers >= 0 else []
    room.people.update(people)


def _most_common(counter: Counter[str]) -> str:
    return min(counter, key=lambda word: (-counter[word], word)) if counter else ""


def _presence(
    rooms: dict[str, _Room],
    numbers: dict[str, int],
    most: Counter[int],
    polls: Sequence[Poll],
    sources: list[str],
) -> Presence:
    logins = sorted(rooms)
    # Numbered by name, so that the order of the files changes nothing.
    people = sorted(numbers)
    place = np.empty(len(people), dtype=np.int64)
    place[[numbers[login] for login in people]] = np.arange(len(people))
    channel_index, chatter_index, sightings = [], [], []
    for index, login in enumerate(logins):
        seen = rooms[login].people
        own = place[np.fromiter(seen.keys(), dtype=np.int64, count=len(seen))]
        order = np.argsort(own)
        channel_index.append(np.full(len(own), index, dtype=np.int64))
        chatter_index.append(own[order])
        sightings.append(np.fromiter(seen.values(), dtype=np.int64, count=len(seen))[order])
    times = [poll.at for poll in polls if poll.at]
    none = np.zeros(0, dtype=np.int64)
    return Presence(
        channels=_channels(logins, rooms),
        channel_index=np.concatenate([none, *channel_index]),
        chatter_index=np.concatenate([none, *chatter_index]),
        chatter_ids=np.array(people, dtype=object),
        sightings=np.concatenate([none, *sightings]),
        most_at_once=np.array([most[numbers[login]] for login in people], dtype=np.int64),
        seen_as="connected",
        from_at=min(times, default=0),
        until_at=max(times, default=0),
        sources=tuple(sources),
    )


def _channels(logins: list[str], rooms: dict[str, _Room]) -> Channels:
    told = [rooms[login] for login in logins]
    return Channels(
        ids=tuple(logins),
        logins=tuple(logins),
        names=tuple(_most_common(room.spellings) for room in told),
        games=tuple(_most_common(room.games) for room in told),
        languages=tuple(_most_common(room.languages) for room in told),
        tags=((),) * len(told),
        viewers=np.array(
            [round(sum(room.viewers) / len(room.viewers)) if room.viewers else UNKNOWN for room in told],
            dtype=np.int64,
        ),
        observed_minutes=np.full(len(told), UNKNOWN, dtype=np.int64),
        chatters=np.array([len(room.people) for room in told], dtype=np.int64),
    )


def _notes(polls: Sequence[Poll], case_merged: int, repeats: int, skipped: int) -> list[str]:
    found = []
    if len(polls) > 1:
        found.append(f"{len(polls):,} polls were put together.")
    for count, one, many in (
        (
            case_merged,
            "1 channel stood in a poll again in other letters and was merged.",
            "{} channels stood in a poll again in other letters and were merged.",
        ),
        (repeats, "1 name stood in a list again.", "{} names stood in a list again; each counts once."),
        (
            skipped,
            "1 entry without a list of people was left out.",
            "{} entries without a list of people were left out.",
        ),
    ):
        if count:
            found.append(one if count == 1 else many.format(f"{count:,}"))
    found.append("A poll is a moment: who was there, not for how long.")
    return found
