"""IRC lines taken apart: tags, source, command and parameters, nothing about Twitch yet.

Follows the IRCv3 message format (https://ircv3.net/specs/extensions/message-tags) and RFC 1459
where it lets several spaces separate the parts. Built on ``str.partition`` and ``str.split``:
about a hundred thousand lines a second and more pass through here, so the usual line takes no
loop over characters and nothing is unescaped that has no backslash.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dashboard.errors import ParseError

Parts = tuple[dict[str, str], str | None, str, list[str]]
"""Tags (unescaped), source, command, parameters."""

_UNESCAPED = {":": ";", "s": " ", "r": "\r", "n": "\n", "\\": "\\"}


@dataclass(slots=True)
class IrcMessage:
    """One IRC line in its parts.

    A tag without a value has the value ``""``; of a tag given twice the last one counts. The last
    parameter is the text, whether it came with a colon or without.
    """

    tags: dict[str, str] = field(default_factory=dict)
    source: str | None = None
    command: str = ""
    params: list[str] = field(default_factory=list)

    @property
    def nick(self) -> str | None:
        """Login of the person the line comes from; ``None`` for the server itself."""
        return nick_of(self.source)


def parse_line(line: str) -> IrcMessage:
    """Takes one line apart.

    Args:
        line: With or without its line end.

    Returns:
        The parts; tag values are unescaped.

    Raises:
        ParseError: The line has no command.
    """
    return IrcMessage(*split_line(line))


def split_line(line: str) -> Parts:
    """Takes one line apart without building an object (the hot path of the ingest).

    Args:
        line: With or without its line end.

    Returns:
        Tags, source, command, parameters, as in :class:`IrcMessage`.

    Raises:
        ParseError: The line has no command.
    """
    rest = line.rstrip("\r\n")
    tags: dict[str, str] = {}
    if rest.startswith("@"):
        head, _, rest = rest.partition(" ")
        tags = _tags(head[1:])
    rest, colon, text = rest.lstrip(" ").partition(" :")
    params = rest.split(" ")
    if "" in params:
        params = [part for part in params if part]
    source: str | None = None
    if rest.startswith(":"):
        source = params.pop(0)[1:]
    if not params:
        raise ParseError("no command in the line" if line.strip() else "empty line")
    command = params.pop(0)
    if colon:
        params.append(text)
    return tags, source, command, params


def nick_of(source: str | None) -> str | None:
    """The login in a source like ``nick!user@host``; ``None`` for servers and no source."""
    if not source:
        return None
    nick, bang, rest = source.partition("!")
    if not bang:
        nick, at, _ = source.partition("@")
        # A bare name without a dot is a person (old jtv lines); with a dot it is a server.
        return nick or None if at or "." not in source else None
    return nick or rest.partition("@")[0] or None


def _tags(raw: str) -> dict[str, str]:
    try:
        tags = dict([pair.split("=", 1) for pair in raw.split(";")])
    except ValueError:  # a tag without "="
        tags = {key: value for key, _, value in (pair.partition("=") for pair in raw.split(";")) if key}
    if "\\" in raw:
        for key, value in tags.items():
            if "\\" in value:
                tags[key] = _unescape(value)
    return tags


def _unescape(value: str) -> str:
    if value.count("\\") == value.count("\\s"):  # spaces only: nearly always
        return value.replace("\\s", " ")
    first, *others = value.split("\\")
    pieces = [first]
    position = 0
    while position < len(others):
        piece = others[position]
        if piece:
            pieces.append(_UNESCAPED.get(piece[0], piece[0]) + piece[1:])
        elif position + 1 < len(others):  # two backslashes are one, and the next piece is plain
            position += 1
            pieces.append("\\" + others[position])
        position += 1
    return "".join(pieces)
