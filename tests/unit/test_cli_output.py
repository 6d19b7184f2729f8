"""What ``query`` prints: values of every type, in every format."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dashboard.cli_output import print_csv, print_json, print_table

AT = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)
COLUMNS = ["nothing", "words", "at", "total", "share", "unknown", "list", "struct", "flag"]
ROW: list[Any] = [
    None, 'a, "b"\n日本', AT, Decimal(3), Decimal("1.5"), float("nan"), [1, None], {"a": AT, "b": True}, True,
]  # fmt: skip


def test_json_keeps_numbers_as_numbers_and_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(COLUMNS, [ROW])

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    records = json.loads(capsys.readouterr().out, parse_constant=refuse)
    at = "2026-01-02T03:04:05.678+00:00"
    assert records == [
        {
            "nothing": None,
            "words": 'a, "b"\n日本',
            "at": at,
            "total": 3,
            "share": 1.5,
            "unknown": None,
            "list": [1, None],
            "struct": {"a": at, "b": True},
            "flag": True,
        }
    ]


def test_csv_has_lists_and_structs_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_csv(COLUMNS, [ROW])
    _, row = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
    at = "2026-01-02T03:04:05.678+00:00"
    assert row[:5] == ["", 'a, "b"\n日本', at, "3", "1.5"]
    assert json.loads(row[6]) == [1, None]
    assert json.loads(row[7]) == {"a": at, "b": True}
    assert row[8] == "true"


def test_a_wide_table_is_not_folded_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [f"column_{i}" for i in range(40)]
    print_table(columns, [["word" * 5] * 40])
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == columns
    assert row.split() == ["word" * 5] * 40


def test_a_narrow_terminal_gets_a_line_a_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    columns = [f"column_{i}" for i in range(40)]
    print_table(columns, [list(range(40))])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 41
    assert lines[1].split() == ["column_0", "0"]


def test_chat_is_neither_markup_nor_a_word_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["text"], [["[red]hi[/red] :smile: \x1b[2J"]])
    assert capsys.readouterr().out.splitlines()[1].strip() == "[red]hi[/red] :smile: \ufffd[2J"
