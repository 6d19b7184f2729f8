"""``accounts`` on files as people have them."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dashboard.account_file import day_of, read_accounts
from dashboard.cli_accounts import accounts
from dashboard.errors import RecordingError

FIRST = date(2020, 1, 1)
AS_OF = date(2023, 1, 1)
DAYS = [FIRST + timedelta(days=k // 2) for k in range(1500)]
WAVE = [date(2021, 3, 4)] * 15


def write(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def answer(*arguments: str | Path) -> dict[str, Any]:
    result = CliRunner().invoke(accounts, [*map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%dT05:06:07Z", "%m/%d/%Y", "%Y-%m-%d 23:59:59 UTC"])
def test_dates_in_every_form_give_the_same_cohort(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / "room.csv", "login,created_at", [f"a,{day:{form}}" for day in DAYS + WAVE])

    told = answer(path, "--as-of", "2023-01-01")

    (cohort,) = told["cohorts"]
    assert (cohort["start"], cohort["end"], cohort["observed"]) == ("2021-03-04", "2021-03-04", 17)
    assert cohort["expected"] == pytest.approx(2, rel=0.1)
    assert 0 < cohort["p"] < cohort["q"] < 0.001
    assert (told["n"], told["n_unknown"]) == (1515, 0)
    assert told["verdict"].startswith("17 accounts created on 2021-03-04")


def test_ages_in_days_with_a_baseline_of_another_day(tmp_path: Path) -> None:
    ages = [str((AS_OF - day).days) for day in DAYS + WAVE]
    usual = [str((date(2022, 6, 1) - day).days) for day in DAYS * 3]
    room = write(tmp_path / "room.csv", "days", ages)
    baseline = write(tmp_path / "usual.csv", "id,days", [f"{k},{age}" for k, age in enumerate(usual)])

    told = answer(room, "--as-of", "2023-01-01", "--baseline", baseline, "--baseline-as-of", "2022-06-01")

    assert [cohort["start"] for cohort in told["cohorts"]] == ["2021-03-04"]
    assert told["baseline"] == {"name": "4,500 accounts of usual.csv", "n": 4500}


def test_cells_that_are_no_date_are_counted_and_named(tmp_path: Path) -> None:
    path = write(tmp_path / "room.csv", "created_at", ["2020-01-01", "31/12/2020", "", "soon", "2031-01-01"])

    told = answer(path, "--as-of", "2023-01-01")

    assert (told["n"], told["n_unknown"], told["cohorts"]) == (1, 4, [])
    assert told["problems"] == [
        "row 3: “31/12/2020” is no date of an account",
        "row 5: “soon” is no date of an account",
        "1 created after 2023-01-01 or before Twitch was there: age not known",
    ]
    assert "Too few accounts" in told["verdict"]
    words = CliRunner().invoke(accounts, [str(path)])
    assert words.exit_code == 0
    assert "room.csv, row 5: “soon” is no date of an account" in words.stderr


def test_an_account_named_twice_counts_once(tmp_path: Path) -> None:
    path = write(
        tmp_path / "room.csv", "user_id;created_at", ["1;2020-01-01", "1;2020-01-01", "2;2020-01-01"]
    )

    found = read_accounts(path, as_of_day=day_of(AS_OF))

    assert (len(found.days), found.duplicate_count) == (2, 1)


def test_an_age_is_a_whole_number_of_days_before(tmp_path: Path) -> None:
    path = write(tmp_path / "room.csv", "Days", ["0", "1.9", "-3", "abc", "nan", "1e9"])

    found = read_accounts(path, as_of_day=20_000)

    assert (list(found.days), found.unknown_count) == ([20_000, 19_999], 4)
    assert len(found.problems) == 3  # an empty age and "nan" are just not known


def test_a_file_without_ages_names_what_it_needs(tmp_path: Path) -> None:
    path = write(tmp_path / "room.csv", "login,joined", ["a,2020-01-01"])

    result = CliRunner().invoke(accounts, [str(path), "--json"])

    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"] == "RecordingError"
    assert "Name one created_at" in result.stderr
    assert "it has: login, joined." in result.stderr


def test_an_empty_file_and_one_that_is_no_text(tmp_path: Path) -> None:
    empty, noise = tmp_path / "empty.csv", tmp_path / "noise.csv"
    empty.write_bytes(b"")
    noise.write_bytes(bytes(range(256)) * 10)

    for path in (empty, noise):
        with pytest.raises(RecordingError, match="created_at"):
            read_accounts(path, as_of_day=20_000)


def test_a_baseline_without_accounts_is_refused(tmp_path: Path) -> None:
    room = write(tmp_path / "room.csv", "created_at", ["2020-01-01"])
    usual = write(tmp_path / "usual.csv", "created_at", ["never"])

    result = CliRunner().invoke(accounts, [str(room), "--baseline", str(usual), "--as-of", "2023-01-01"])

    assert result.exit_code == 1
    assert "usual.csv has no account of known age up to 2023-01-01" in result.stderr


def test_a_wrong_day_is_wrong_use(tmp_path: Path) -> None:
    room = write(tmp_path / "room.csv", "created_at", ["2020-01-01"])

    result = CliRunner().invoke(accounts, [str(room), "--as-of", "01.01.2023"])

    assert result.exit_code == 2
    assert "give a day such as 2026-11-02" in result.stderr
