"""Polls in the forms that are about: the same presence from each, and plain words about what is wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from dashboard.community_io.polls import ReadPolls, read_polls
from dashboard.errors import RecordingError


def read(folder: Path, told: Any, name: str = "poll.json") -> ReadPolls:
    path = folder / name
    path.write_text(told if isinstance(told, str) else json.dumps(told), encoding="utf-8")
    return read_polls([path])


def pairs(found: ReadPolls) -> set[tuple[str, str]]:
    presence = found.presence
    return {
        (presence.channels.logins[channel], str(presence.chatter_ids[person]))
        for channel, person in zip(presence.channel_index, presence.chatter_index, strict=True)
    }


WANTED = {("alpha", "ann"), ("alpha", "bob"), ("beta", "ann")}


@pytest.mark.parametrize(
    "told",
    [
        {"Alpha": {"spect": ["ann", "bob"]}, "beta": {"spect": ["Ann"]}},
        {"Alpha": ["ann", "bob"], "beta": ["ann"]},
        [{"channel": "Alpha", "chatters": ["ann", "bob"]}, {"streamer": "beta", "spect": ["ann"]}],
        [["Alpha", ["ann", "bob"]], ["beta", ["ann"]]],
        {"timestamp": 1650000000, "channels": {"Alpha": {"viewers": ["ann", "bob"]}, "beta": ["ann"]}},
        {
            "data": [
                {"user_login": "Alpha", "viewers": ["ann", "bob"]},
                {"user_login": "beta", "users": ["ann"]},
            ]
        },
        {
            "Alpha": {"chatter_count": 2, "chatters": {"moderators": ["ann"], "viewers": ["bob"]}},
            "beta": {"chatters": {"viewers": ["ann"]}},
        },
        {"Alpha": {"spect": [{"user_login": "Ann"}, {"user_login": "bob"}]}, "beta": {"spect": ["ann"]}},
        '{"channel": "Alpha", "chatters": ["ann", "bob"]}\n{"channel": "beta", "chatters": ["ann"]}\n',
    ],
)
def test_every_form_says_the_same(tmp_path: Path, told: Any) -> None:
    found = read(tmp_path, told)
    assert pairs(found) == WANTED
    assert found.presence.channels.names == ("Alpha", "beta")
    assert found.presence.channels.chatters.tolist() == [2, 1]
    assert found.presence.seen_as == "connected"


def test_several_polls_count_how_often_somebody_was_seen(tmp_path: Path) -> None:
    first = {"Alpha": {"spect": ["ann", "bob"], "game_name": "Chess", "viewer_count": 10}}
    second = {
        "ALPHA": {"spect": ["ann"], "game_name": "Chess", "viewer_count": 20},
        "beta": {"spect": ["ann"], "game_name": None, "viewer_count": "1,200"},
    }
    (tmp_path / "2022-04-14_10-48.json").write_text(json.dumps(first))
    packed = tmp_path / "2022-04-14_11-48.json.gz"
    packed.write_bytes(gzip.compress(json.dumps(second).encode()))
    found = read_polls([tmp_path])
    presence = found.presence
    seen = dict(
        zip(zip(presence.channel_index, presence.chatter_index, strict=True), presence.sightings, strict=True)
    )
    assert seen == {(0, 0): 2, (0, 1): 1, (1, 0): 1}
    # Ann was in two channels at once, in the second poll only.
    assert presence.most_at_once.tolist() == [2, 1]
    assert presence.channels.games == ("Chess", "")
    assert presence.channels.viewers.tolist() == [15, 1200]
    assert presence.until_at - presence.from_at == 3_600_000_000
    assert presence.from_at == 1_649_933_280_000_000
    assert "2 polls were put together." in found.notes


def test_two_polls_in_one_file(tmp_path: Path) -> None:
    told = {"2022-04-14_10-48": {"Alpha": ["ann"]}, "2022-04-14_11-48": {"Alpha": ["ann"], "beta": ["ann"]}}
    presence = read(tmp_path, told).presence
    assert presence.sightings.tolist() == [2, 1]


def test_other_letters_are_the_same_channel_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, {"Alpha": ["ann", "ANN"], "alpha": ["bob"], "beta": {"viewer_count": 3}})
    assert pairs(found) == {("alpha", "ann"), ("alpha", "bob")}
    assert found.notes[:3] == (
        "1 channel stood in a poll again in other letters and was merged.",
        "1 name stood in a list again.",
        "1 entry without a list of people was left out.",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": {"spect": ["x",\n"y"', "line 2, column 4: Expecting ',' delimiter. The file is cut off"),
        ('{"a": ["x"]}\n{"b": ["x"\n', "line 2"),
        ('{"a": 1}', "no lists of people in it"),
        ('{"a": {"spect": []}}', "every list of people is empty"),
        ("", "is empty"),
        ("channel,login\na,b\n", "line 1, column 1"),
    ],
)
def test_what_is_no_poll_is_said_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RecordingError) as caught:
        read(tmp_path, text)
    assert words in str(caught.value)
    assert "poll.json" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"none\.json can't be read"):
        read_polls([tmp_path / "none.json"])
    with pytest.raises(RecordingError, match="no JSON file in that folder"):
        read_polls([tmp_path])
