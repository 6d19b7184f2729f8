"""Tells a recording's format by looking into it; the name of the file is never believed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from collectors.recorded.chatty import ChattyLog, is_chatty_line
from collectors.recorded.csv_logs import CsvLog, find_columns, first_line
from collectors.recorded.files import RecordedFile
from collectors.recorded.irc_lines import IrcLines, IrcLinesInJson, is_chat_line, lines_in_json, load_json
from collectors.recorded.recording import Recording
from collectors.recorded.text_logs import TextLog, is_text_log_line
from collectors.recorded.vod_chat import VodChat
from dashboard.errors import RecordingError
from dashboard.events import Instant, now_us

LOOKED_FOR = (
    "raw chat lines of Twitch, recent-messages JSON, VOD chat JSON (TwitchDownloader and others), a Chatty"
    " log, a text log of rustlog or justlog, and a CSV with columns for time, user and message"
)
_JSON = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[\"{\]\[])")
_LOOKED_AT_LINES = 500


def open_recording(
    path: Path, *, channel: str | None = None, clock: Callable[[], Instant] = now_us
) -> Recording:
    """Recognises a file by its content.

    Args:
        path: The file, packed with gzip or not.
        channel: Login of the channel, for files that don't tell it; what the file tells goes first.
        clock: Gives ``received_at``.

    Returns:
        The recording, ready to be read.

    Raises:
        RecordingError: The file can't be read, is empty, is of no known format, or does not tell
            something that is needed; the message names the file and the cure.
    """
    file = RecordedFile(path)
    login = channel.strip().lstrip("#").lower() if channel else None
    if _JSON.match(file.head_text):
        return _open_json(file, login, clock)
    lines = re.split(r"\r\n|\n|\r", file.head_text)[:_LOOKED_AT_LINES]
    if any(is_chatty_line(line.removeprefix("\ufeff")) for line in lines):
        return ChattyLog(file, login, clock)
    chat_lines = sum(map(is_chat_line, lines))
    text_lines = sum(map(is_text_log_line, lines))
    if chat_lines and chat_lines >= text_lines:
        return IrcLines(file, clock)
    if text_lines:
        return TextLog(file, login, clock)
    if find_columns(first_line(file.head_text)):
        return CsvLog(file, login, clock)
    raise _unknown(file)


def _open_json(file: RecordedFile, channel: str | None, clock: Callable[[], Instant]) -> Recording:
    document = load_json(file)
    if lines_in_json(document):
        return IrcLinesInJson(file, clock)
    if _is_vod_chat(document):
        return VodChat(file, document, channel, clock)
    if isinstance(document, dict) and "messages" in document:
        reason = document.get("error") or "the list is empty"
        raise RecordingError(f"{file.path} has no messages ({reason}): there is nothing to import.")
    if isinstance(document, dict) and {"vod_id", "duration"} <= document.keys():
        raise RecordingError(
            f"{file.path} describes a video but has no chat. Name the chat's file beside it instead,"
            " for example verbose_chat.json.gz."
        )
    raise _unknown(file)


def _is_vod_chat(document: Any) -> bool:
    items = document.get("comments") if isinstance(document, dict) else document
    if not isinstance(items, list):
        return False
    keys = {"contentOffsetSeconds", "content_offset_seconds"}
    # One broken comment at the beginning must not hide the rest.
    return any(isinstance(item, dict) and "message" in item and keys & item.keys() for item in items[:100])


def _unknown(file: RecordedFile) -> RecordingError:
    return RecordingError(
        f"{file.path} is of no format that can be imported. Looked for: {LOOKED_FOR}."
        " Export the chat in one of these and import that."
    )
