"""The format is told by the content; whatever else a file is, the answer is a clear refusal."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collectors.recorded import open_recording
from dashboard.errors import RecordingError

SAMPLES = Path(__file__).parents[2] / "data" / "samples"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("irc_tagged.log", "raw IRC lines"),
        ("irc_stamped.log", "raw IRC lines"),
        ("recent_messages.json", "recent-messages JSON"),
        ("twitchdownloader.json", "VOD chat JSON"),
        ("vod_2024-05-04_18-00-00_2100000001/verbose_chat.json", "VOD chat JSON"),
        ("chatty_quietriver.log", "Chatty log"),
        ("rustlog_text.log", "rustlog or justlog text"),
        ("messages.csv", "CSV"),
    ],
)
def test_the_name_is_not_believed(tmp_path: Path, name: str, expected: str) -> None:
    path = tmp_path / "chat.xlsx"
    path.write_bytes(gzip.compress((SAMPLES / name).read_bytes()))
    assert open_recording(path).format == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n\r\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "of no format that can be imported"),
        (b"dear diary,\ntoday nobody wrote\n", "of no format that can be imported"),
        (b'{"a": 1}', "of no format that can be imported"),
        (b'{"a": ', "looks like JSON but can't be read"),
        (b'{"messages": [], "error": "channel is ignored"}', r"no messages \(channel is ignored\)"),
        (b'{"messages": [], "error": null}', r"no messages \(the list is empty\)"),
        (b"\x1f\x8b\x08\x00rubbish", "can't be unpacked"),
        (b"time,user\n2024-05-04 18:00:00,kettle\n", "of no format that can be imported"),
    ],
)
def test_refusals_name_the_file_and_the_cure(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "mine.log"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=reason) as caught:
        open_recording(path)
    assert str(path) in str(caught.value)


def test_unknown_formats_say_what_was_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "mine.log"
    path.write_text("dear diary")
    with pytest.raises(RecordingError) as caught:
        open_recording(path)
    assert str(caught.value) == (
        f"{path} is of no format that can be imported. Looked for: raw chat lines of Twitch, recent-messages"
        " JSON, VOD chat JSON (TwitchDownloader and others), a Chatty log, a text log of rustlog or justlog,"
        " and a CSV with columns for time, user and message. Export the chat in one of these and import that."
    )


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="is a folder"):
        open_recording(tmp_path)
    with pytest.raises(RecordingError, match="No such file"):
        open_recording(tmp_path / "nothing.log")


_PIECES = st.sampled_from(
    [
        b"# Log started: 2016-09-02 07:04:57 +0800\n",
        b"# Log started: 2016-99-02 07:04:57 +9999\n",
        b"[07:04:57] <@a> hi\n",
        b"[99:99:99] <@a> hi\n",
        b"[07:05:00] Viewerstats (99:04-07:35): avg:1 min:1 max:1 [1/1]\n",
        b"@tmi-sent-ts=1556614619123 :a!a@a PRIVMSG #b :hi\n",
        b":a!a@a PRIVMSG #b :hi\n",
        b"[2024-05-04 18:00:00] #b a: hi\n",
        b"time,user,text,channel\n",
        b'2024-05-04,a,"b\n',
        b'[{"contentOffsetSeconds": 1, "id": "a", "createdAt": "2024-05-04T18:00:00Z", "message": {}}]',
        b'{"comments": [{"content_offset_seconds": 1e400, "message": []}]}',
        b'{"messages": ["@", "\\ud800"]}',
        b"\x1f\x8b",
        b"\xff\xfe",
        b"\r",
        b"\x00",
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(st.one_of(_PIECES, st.binary(max_size=20)), max_size=8).map(b"".join),
    )
)
@example(b"# Log started: 2016-99-02 07:04:57 +9999\n")
def test_any_file_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    try:
        recording = open_recording(path, channel="b")
        for batch in recording.events():
            assert batch
    except RecordingError:
        pass
