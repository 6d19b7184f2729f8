"""Reads GEXF of any version and from any program, also what stricter readers refuse.

The reader is expat's own, told to expand nothing: names are taken without their prefix, so neither a
version nor a missing namespace matters.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.parsers import expat

from dashboard.community_io.texts import read_text
from dashboard.errors import RecordingError

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ENTITY: Final = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)(\w{1,32};)?")
_NUMBER_REF: Final = re.compile(r"&#(x[0-9a-fA-F]+|\d+);")


@dataclass(slots=True)
class Element:
    """A node or an edge: its XML attributes, the values by title, and what ``viz`` says."""

    line: int
    plain: dict[str, str]
    values: dict[str, str] = field(default_factory=dict)
    viz: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Gexf:
    """What stands in a file."""

    nodes: list[Element] = field(default_factory=list)
    edges: list[Element] = field(default_factory=list)
    titles: dict[tuple[str, str], str] = field(default_factory=dict)
    """By ``node`` or ``edge`` and the attribute's id."""
    defaults: dict[tuple[str, str], str] = field(default_factory=dict)
    version: str = ""
    root: str = ""
    mended: int = 0
    """Characters that XML does not allow, replaced or taken out."""

    def told(self, element: Element, kind: str) -> dict[str, str]:
        """Everything that is told of a node or an edge by title, with defaults where nothing is."""
        found = {
            title: self.defaults[key]
            for key, title in self.titles.items()
            if key in self.defaults and key[0] == kind
        }
        return found | element.values


def parse_gexf(path: Path) -> Gexf:
    """Reads a file; first as it is, then with what XML does not allow taken out.

    Raises:
        RecordingError: It is no GEXF, is cut off, or declares entities of its own.
    """
    text = read_text(path).lstrip("\ufeff \t\r\n")
    if not text.startswith("<"):
        raise RecordingError(f"{path}, line 1: this is not XML. GEXF begins with <?xml or <gexf>.")
    try:
        return _parsed(path, text)
    except expat.ExpatError as first:
        clean, count = _cleaned(text)
        if not count:
            raise _said(path, first) from None
        try:
            found = _parsed(path, clean)
        except expat.ExpatError as error:
            raise _said(path, error) from None
        found.mended = count
        return found


def _said(path: Path, error: expat.ExpatError) -> RecordingError:
    words = expat.ErrorString(error.code)
    cures = {
        expat.errors.XML_ERROR_NO_ELEMENTS: "The file is cut off: download or export it again.",
        expat.errors.XML_ERROR_UNCLOSED_TOKEN: "The file is cut off: download or export it again.",
    }
    cure = cures.get(words, "Put that line right, or export the file again.")
    return RecordingError(f"{path}, line {error.lineno}: {words}. {cure}")


def _cleaned(text: str) -> tuple[str, int]:
    """Without characters that XML does not allow, with lone ampersands written as such."""
    count = 0

    def entity(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        if match[1]:
            known = html.unescape("&" + match[1])
            if known != "&" + match[1]:
                return known.replace("&", "&amp;").replace("<", "&lt;")
        return "&amp;" + (match[1] or "")

    def number(match: re.Match[str]) -> str:
        nonlocal count
        code = int(match[1][1:], 16) if match[1].startswith("x") else int(match[1])
        is_fine = code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code <= 0x10FFFF
        if is_fine and code not in (0xFFFE, 0xFFFF):
            return match[0]
        count += 1
        return ""

    text, removed = _CONTROL.subn("", text)
    text = _NUMBER_REF.sub(number, _ENTITY.sub(entity, text))
    return text, count + removed


def _parsed(path: Path, text: str) -> Gexf:
    reader = _Reader(path)
    reader.run(text)
    if reader.found.root.lower() != "gexf":
        raise RecordingError(
            f"{path}, line 1: the first element is <{reader.found.root}>, not <gexf>. "
            "Export the map as GEXF, or as an edge list in CSV."
        )
    return reader.found


class _Reader:
    def __init__(self, path: Path) -> None:
        self.found = Gexf()
        self._path = path
        self._kind = "node"
        self._attribute: tuple[str, str] | None = None
        self._open: list[Element] = []
        """Nodes stand inside nodes where a map has a hierarchy."""
        self._text: list[str] | None = None
        # The text is decoded already: what the declaration says of its encoding holds no more.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.EntityDeclHandler = self._refuse_entity

    def run(self, text: str) -> None:
        self._parser.Parse(text.encode("utf-8", "replace"), True)

    def _refuse_entity(self, name: str, *_: object) -> None:
        raise RecordingError(
            f"{self._path}, line {self._parser.CurrentLineNumber}: declares an entity of its own "
            f"(“{name}”), which is never needed in GEXF and can be an attack. Take the declaration out."
        )

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        tag = name.rpartition(":")[2].lower()
        own = {key.rpartition(":")[2].lower(): value.strip() for key, value in attributes.items()}
        if not self.found.root:
            self.found.root, self.found.version = tag, own.get("version", "")
        elif tag == "attributes":
            self._kind = own.get("class", "node").lower()
        elif tag == "attribute":
            self._attribute = (self._kind, own.get("id", own.get("title", "")))
            self.found.titles[self._attribute] = own.get("title") or own.get("id", "")
        elif tag == "default" and self._attribute is not None:
            self._text = []
        elif tag in ("node", "edge"):
            element = Element(self._parser.CurrentLineNumber, own)
            (self.found.nodes if tag == "node" else self.found.edges).append(element)
            self._open.append(element)
        elif self._open:
            self._inside(tag, own)

    def _inside(self, tag: str, own: dict[str, str]) -> None:
        element = self._open[-1]
        if tag == "attvalue":
            kind = "edge" if element in self.found.edges[-1:] else "node"
            key = own.get("for", own.get("id", own.get("attribute", "")))
            title = self.found.titles.get((kind, key), key)
            # A value that changes with time is told several times: the last one holds.
            element.values[title] = own.get("value", "")
        elif tag == "position":
            element.viz |= {key: value for key, value in own.items() if key in ("x", "y")}
        elif tag == "size":
            element.viz["size"] = own.get("value", "")

    def _end(self, name: str) -> None:
        tag = name.rpartition(":")[2].lower()
        if tag in ("node", "edge") and self._open:
            self._open.pop()
        elif tag == "default" and self._attribute is not None and self._text is not None:
            self.found.defaults[self._attribute] = "".join(self._text).strip()
            self._text = None
        elif tag == "attribute":
            self._attribute = None

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)
