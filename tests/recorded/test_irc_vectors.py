"""The parser against the standard vectors (ircdocs/parser-tests) and go-twitch-irc's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import irctokens
import yaml

from collectors.irc_parser import IrcMessage, parse_line

# go-twitch-irc took the standard's inputs over and wrote down what its own parser makes of them.
# Where that contradicts the standard, the standard counts.
GO_QUIRKS = {
    r"@a=b\\and\nk;c=72\s45;d=gh\:764 foo": r"\n becomes nothing instead of a line feed",
    r"@foo=\\\\\:\\s\s\r\n COMMAND": r"\\s becomes a space, line ends and outer spaces vanish",
    r"@tag1=value\\ntest COMMAND": r"\\n is unescaped twice",
    r"@tag1=value\1 COMMAND": "a needless backslash stays",
    ":src AWAY ": "a space at the end becomes an empty parameter",
    ":gravel.mozilla.org 432  #momo :Erroneous Nickname: Illegal characters": "two spaces, empty parameter",
    ":gravel.mozilla.org MODE #tckk +n ": "a space at the end becomes an empty parameter",
    ":services.esper.net MODE #foo-bar +o foobar  ": "spaces at the end become empty parameters",
}


def _standard(root: Path) -> list[dict[str, Any]]:
    return yaml.safe_load((root / "irc/vectors/msg-split.yaml").read_text(encoding="utf-8"))["tests"]


def _expected(atoms: dict[str, Any]) -> IrcMessage:
    return IrcMessage(
        tags=atoms.get("tags") or {},
        source=atoms.get("source"),
        command=atoms["verb"],
        params=atoms.get("params") or [],
    )


def test_standard_vectors(recorded_dir: Path) -> None:
    tests = _standard(recorded_dir)
    assert len(tests) == 35
    wrong = {
        test["input"]: parsed
        for test in tests
        if (parsed := parse_line(test["input"])) != _expected(test["atoms"])
    }
    assert wrong == {}


def test_go_twitch_irc_vectors(recorded_dir: Path) -> None:
    tests = json.loads((recorded_dir / "irc/vectors/irctests_go-twitch-irc.json").read_text(encoding="utf-8"))
    standard = {test["input"]: _expected(test["atoms"]) for test in _standard(recorded_dir)}
    different = {}
    for test in tests["tests"]:
        wanted, message = test["Expected"], parse_line(test["Input"])
        got = (message.tags, message.command, message.params)
        tags = {key: value or "" for key, value in (wanted.get("tags") or {}).items()}
        if got != (tags, wanted["command"], wanted.get("params") or []):
            different[test["Input"]] = message
        origin = wanted.get("source") or {}
        assert (message.nick or "") in (origin.get("nickname", ""), origin.get("host", ""))
    assert different.keys() == GO_QUIRKS.keys()
    assert different == {line: standard[line] for line in GO_QUIRKS}


def test_every_recorded_line_parses_as_irctokens_does(recorded_dir: Path) -> None:
    compared, different = 0, []
    for path in sorted((recorded_dir / "irc").rglob("*.irc.txt")):
        for line in path.read_text(encoding="utf-8").split("\n"):
            if not line.strip():
                continue
            theirs, ours = irctokens.tokenise(line), parse_line(line)
            compared += 1
            if (ours.tags, ours.source, ours.command, ours.params) != (
                theirs.tags or {},
                theirs.source,
                theirs.command,
                theirs.params,
            ):
                different.append((path.name, line))
    assert different == []
    assert compared == 5_550
