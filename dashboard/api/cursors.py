"""The cursor: where an answer ended, as a text that a caller hands back and never reads."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping

import orjson

from dashboard.errors import ParseError

_VERSION = 1
_MARK_BYTES = 6
_LONGEST = 2_000


def make_cursor(question: Mapping[str, str], place: tuple[str | int, ...]) -> str:
    """Writes a place down.

    Args:
        question: What was asked, without cursor, limit and format: a cursor continues this and nothing else.
        place: Of the last row told.

    Returns:
        Text that needs no escaping in an address.
    """
    payload = orjson.dumps([_VERSION, *place])
    return base64.urlsafe_b64encode(_mark(question, payload) + payload).rstrip(b"=").decode("ascii")


def read_cursor(question: Mapping[str, str], cursor: str, kinds: tuple[type, ...]) -> tuple[str | int, ...]:
    """Reads a place back.

    Args:
        question: As for :func:`make_cursor`.
        cursor: What the caller gave.
        kinds: The types of the place's parts.

    Returns:
        The place.

    Raises:
        ParseError: It is not a cursor, or one of another question.
    """
    try:
        if len(cursor) > _LONGEST or not cursor.isascii():
            raise ValueError
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        mark, payload = raw[:_MARK_BYTES], raw[_MARK_BYTES:]
        version, *place = orjson.loads(payload)
    except (ValueError, TypeError, binascii.Error):
        raise ParseError("cursor: not one that this server gave; leave it out to begin anew") from None
    # Not a secret: whoever makes one up reads only what the same question would give without it.
    if version != _VERSION or mark != _mark(question, payload):
        raise ParseError(
            "cursor: it belongs to another question; keep every other parameter (but limit and format) "
            "as it was, or leave the cursor out to begin anew"
        )
    is_fit = len(place) == len(kinds) and all(
        type(part) is kind and (not isinstance(part, int) or 0 <= part < 1 << 62)
        for part, kind in zip(place, kinds, strict=True)
    )
    if not is_fit:
        raise ParseError("cursor: not one that this server gave; leave it out to begin anew")
    return tuple(place)


def _mark(question: Mapping[str, str], payload: bytes) -> bytes:
    asked = orjson.dumps(dict(question), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(asked + b"\0" + payload, digest_size=_MARK_BYTES).digest()
