"""Lines as Twitch sends them: tags, escapes, emote positions."""

from __future__ import annotations

from collections.abc import Mapping

_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\:", " ": "\\s", "\r": "\\r", "\n": "\\n"})


def escape(value: str) -> str:
    """A tag value in the form it has on the wire."""
    return value.translate(_ESCAPES)


class Line:
    """One line of a room, with the instant at which the server sends it."""

    __slots__ = ("_raw", "at_s", "command", "rest", "tags", "user")

    def __init__(
        self, at_s: float, command: str, tags: dict[str, str], rest: str, user: int | None = None
    ) -> None:
        self.at_s = at_s
        self.command = command
        self.tags = tags
        self.rest = rest
        """Everything after the tags."""
        self.user = user
        self._raw: str | None = None

    @property
    def raw(self) -> str:
        """The whole line with its tags."""
        if self._raw is None:
            tags = ";".join(f"{key}={escape(self.tags[key])}" for key in sorted(self.tags))
            self._raw = f"@{tags} {self.rest}" if tags else self.rest
        return self._raw


def emotes_tag(text: str, known: Mapping[str, str]) -> str:
    """Where the emotes stand in a text, as Twitch says it.

    Args:
        text: The message (for ``/me`` without its wrapping).
        known: Emote id by name.

    Returns:
        ``id:from-to,from-to/id:from-to`` in code points, last position included; may be empty.
    """
    places: dict[str, list[str]] = {}
    at = 0
    for word in text.split(" "):
        if emote_id := known.get(word):
            places.setdefault(emote_id, []).append(f"{at}-{at + len(word) - 1}")
        at += len(word) + 1
    return "/".join(f"{emote_id}:{','.join(spans)}" for emote_id, spans in places.items())
