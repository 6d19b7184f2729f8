"""What others call the columns and attributes of a map."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

NODE_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "nodeid", "userid", "channelid", "idstreamer", "streamerid", "idchannel", "key"),
    "login": ("login", "userlogin", "channellogin", "streamerlogin", "broadcasterlogin"),
    "label": (
        "label",
        "name",
        "displayname",
        "streamer",
        "channel",
        "streamername",
        "channelname",
        "username",
        "title",
        "node",
    ),
    "chatters": (
        "size",
        "chatters",
        "chattercount",
        "uniquechatters",
        "uniqueviewers",
        "uniqueusers",
        "uniqueviewer",
        "unique",
        "count",
        "specttot",
        "spectators",
        "users",
        "usercount",
        "audience",
        "audiencesize",
        "viewers",
        "nviewers",
        "weight",
        "value",
    ),
    "community": (
        "community",
        "communityid",
        "modularityclass",
        "modclass",
        "cluster",
        "clusterid",
        "communityname",
        "group",
        "class",
        "partition",
        "category2",
    ),
    "game": ("game", "gamename", "topgame", "maingame", "category", "categoryname"),
    "language": ("language", "lang", "broadcasterlanguage", "locale"),
    "viewers": ("viewercount", "viewermean", "averageviewers", "avgviewers", "meanviewers", "ccv"),
    "minutes": ("observedminutes", "minutes", "minuteslive", "minutesobserved"),
    "tags": ("tags",),
    "x": ("x", "posx", "positionx"),
    "y": ("y", "posy", "positiony"),
}
"""By what we call it: the names others use, the likeliest first, lower case without signs."""

_ENDS: Final = (
    ("source", "target"),
    ("sourceid", "targetid"),
    ("src", "dst"),
    ("src", "dest"),
    ("src", "tgt"),
    ("from", "to"),
    ("fromid", "toid"),
    ("start", "end"),
    ("head", "tail"),
    ("left", "right"),
)
_SUFFIXES: Final = (("i", "j"), ("1", "2"), ("a", "b"), ("x", "y"), ("u", "v"), ("0", "1"), ("one", "two"))
COUNTS: Final = (
    "shared",
    "sharedchatters",
    "sharedviewers",
    "sharedusers",
    "sharedcount",
    "sharedaudience",
    "commonviewers",
    "commonchatters",
    "common",
    "overlap",
    "overlapcount",
    "intersection",
    "nshared",
    "numshared",
)
WEIGHTS: Final = (
    "weight",
    "w",
    "count",
    "value",
    "n",
    "viewers",
    "chatters",
    "users",
    "size",
    "strength",
    "score",
    "overlappercentage",
    "overlappercent",
    "percentage",
    "percent",
    "jaccard",
    "similarity",
    "share",
)
_NO_COUNT = re.compile(r"percent|pct|jaccard|similar|score|ratio|share$|lift|strength|normali[sz]|coeff")


def plain(name: object) -> str:
    """A name without what differs between programs: case, blanks, signs."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def find(field: str, names: Sequence[str], taken: Iterable[int] = ()) -> int | None:
    """Where a field of a node stands among plain names; None when nowhere."""
    used = set(taken)
    for alias in NODE_FIELDS[field]:
        for index, name in enumerate(names):
            if name == alias and index not in used:
                return index
    return None


def find_ends(names: Sequence[str]) -> tuple[int, int] | None:
    """Which two columns are the two channels of an edge; None when the names don't say."""
    place = {name: index for index, name in reversed(list(enumerate(names))) if name}
    for one, two in _ENDS:
        if one in place and two in place:
            return place[one], place[two]
    for start, end in _SUFFIXES:
        for name in names:
            stem = name.removesuffix(start)
            if stem != name and (stem + end) in place and name in place:
                return place[name], place[stem + end]
    # “source_name” beside “target_name”, “from_channel” beside “to_channel”.
    for one, two in _ENDS:
        for name in names:
            other = name.replace(one, two, 1)
            if one in name and other != name and other in place:
                return place[name], place[other]
    return None


def find_weight(names: Sequence[str], taken: Iterable[int] = ()) -> int | None:
    """Which column tells how strong an edge is: a count of people before anything else."""
    used = set(taken)
    for alias in (*COUNTS, *WEIGHTS):
        for index, name in enumerate(names):
            if name == alias and index not in used:
                return index
    for index, name in enumerate(names):
        if index not in used and re.search(r"shared|common|overlap|weight", name):
            return index
    return None


def can_be_count(name: str) -> bool:
    """Whether a column of this name can hold a number of people."""
    return not _NO_COUNT.search(name)
