"""Where daily reports are kept: one JSON and one HTML file a channel and day, each whole or not there."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dashboard.storage.files import full_disk_said_plainly

_LOGIN = re.compile(r"[a-z0-9_]{1,25}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One report that is there."""

    room_login: str
    day: str


class ReportFiles:
    """The reports under ``reports/`` in the data folder.

    Args:
        data_dir: The data folder.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "reports"

    def path(self, room_login: str, day: str, ending: str) -> Path | None:
        """The file of a report; None for what can't be a channel, a day or an ending."""
        if not (_LOGIN.fullmatch(room_login) and _DAY.fullmatch(day) and ending in ("html", "json")):
            return None
        return self._folder / room_login / f"{day}.{ending}"

    def has(self, room_login: str, day: str, *, made_after: int = 0) -> bool:
        """Whether the report is there and was made after an instant (the end of its day)."""
        path = self.path(room_login, day, "html")
        try:
            return path is not None and path.stat().st_mtime * 1e6 >= made_after
        except FileNotFoundError:
            return False

    def write(self, room_login: str, day: str, *, json: str, html: str) -> None:
        """Stores a report, in place of an older one of the same day.

        Raises:
            ValueError: The channel or the day is none.
            StorageError: The disk is full.
        """
        # The page comes last: where it is, the data is too.
        for ending, text in (("json", json), ("html", html)):
            path = self.path(room_login, day, ending)
            if path is None:
                raise ValueError(f"“{room_login}”, “{day}” can't be a channel and a day")
            with full_disk_said_plainly("the daily report"):
                _write(path, text)

    def listed(self, may_see: Callable[[str], bool], limit: int = 60) -> list[ReportFile]:
        """The newest reports of the channels that one may see.

        Args:
            may_see: Whether a channel may be seen.
            limit: At most so many.

        Returns:
            By falling day, then by channel.
        """
        found = [
            ReportFile(path.parent.name, path.stem)
            for path in self._folder.glob("*/*.html")
            if _DAY.fullmatch(path.stem) and may_see(path.parent.name)
        ]
        return sorted(found, key=lambda file: (-int(file.day.replace("-", "")), file.room_login))[:limit]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("w", encoding="utf-8", errors="replace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
