"""IRC lines taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.irc_parser import IrcMessage, nick_of, parse_line
from dashboard.errors import ParseError


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "@a=1;b= :nick!user@host PRIVMSG #room :hello there: JOIN :)\r\n",
            IrcMessage({"a": "1", "b": ""}, "nick!user@host", "PRIVMSG", ["#room", "hello there: JOIN :)"]),
        ),
        ("@a;b=2 PING", IrcMessage({"a": "", "b": "2"}, None, "PING", [])),
        ("@a=1;;b=2; PING", IrcMessage({"a": "1", "b": "2"}, None, "PING", [])),
        ("@a=x=y;a=z== PING", IrcMessage({"a": "z=="}, None, "PING", [])),
        (":server   CLEARMSG  #room   sup", IrcMessage({}, "server", "CLEARMSG", ["#room", "sup"])),
        (
            "@a=1   :server  353 me = #r  :x  y ",
            IrcMessage({"a": "1"}, "server", "353", ["me", "=", "#r", "x  y "]),
        ),
        (":s PRIVMSG #room :", IrcMessage({}, "s", "PRIVMSG", ["#room", ""])),
        (":s PRIVMSG #room ::D", IrcMessage({}, "s", "PRIVMSG", ["#room", ":D"])),
        (":s PRIVMSG #room :\x01ACTION x\x01", IrcMessage({}, "s", "PRIVMSG", ["#room", "\x01ACTION x\x01"])),
        ("PING :a b c", IrcMessage({}, None, "PING", ["a b c"])),
        (":s PRIVMSG #room :a\u2028b\x85c", IrcMessage({}, "s", "PRIVMSG", ["#room", "a\u2028b\x85c"])),
    ],
)
def test_parts(line: str, expected: IrcMessage) -> None:
    assert parse_line(line) == expected


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (r"one\stwo\sthree", "one two three"),
        (r"a\:b\\c\rd\ne", "a;b\\c\rd\ne"),
        (r"\\s", r"\s"),
        (r"\\\s", "\\ "),
        (r"\\\\", "\\\\"),
        (r"\q\1", "q1"),
        ("end\\", "end"),
        (r"end\\", "end\\"),
        ("no backslash", "no"),
    ],
)
def test_tag_values_are_unescaped(raw: str, value: str) -> None:
    assert parse_line(f"@key={raw} PING").tags == {"key": value}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "empty line"),
        (" \r\n", "empty line"),
        ("@a=b", "no command in the line"),
        ("@a=b ", "no command in the line"),
        (":source", "no command in the line"),
        ("@a=b :source ", "no command in the line"),
    ],
)
def test_a_line_without_a_command_is_broken(line: str, reason: str) -> None:
    with pytest.raises(ParseError, match=f"^{reason}$"):
        parse_line(line)


@pytest.mark.parametrize(
    ("source", "nick"),
    [
        ("xqc!xqc@xqc.tmi.twitch.tv", "xqc"),
        ("leppunen@tmi.twitch.tv", "leppunen"),
        ("!nerixyz@nerixyz.tmi.twitch.tv", "nerixyz"),
        ("jtv", "jtv"),
        ("tmi.twitch.tv", None),
        ("", None),
        (None, None),
    ],
)
def test_nick(source: str | None, nick: str | None) -> None:
    assert nick_of(source) == nick
    assert IrcMessage(source=source).nick == nick


_KEY = st.from_regex(r"[a-z][a-z0-9/-]{0,10}", fullmatch=True)
_VALUE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
_WORD = st.from_regex(r"[^\s:\0][^\s\0]{0,10}", fullmatch=True)


@given(
    tags=st.dictionaries(_KEY, _VALUE, max_size=6),
    source=st.none() | _WORD,
    command=st.from_regex(r"[A-Z]{1,10}", fullmatch=True),
    middle=st.lists(_WORD, max_size=4),
    text=st.none() | st.text(st.characters(exclude_characters="\0\r\n"), max_size=30),
)
def test_what_was_put_together_is_taken_apart(
    tags: dict[str, str], source: str | None, command: str, middle: list[str], text: str | None
) -> None:
    escapes = str.maketrans({"\\": "\\\\", ";": "\\:", " ": "\\s", "\r": "\\r", "\n": "\\n"})
    line = (
        "@" + ";".join(f"{key}={value.translate(escapes)}" for key, value in tags.items()) + " "
        if tags
        else ""
    )
    line += f":{source} " if source else ""
    line += " ".join([command, *middle]) + ("" if text is None else f" :{text}")
    params = middle if text is None else [*middle, text]
    assert parse_line(line + "\r\n") == IrcMessage(tags, source, command, params)
