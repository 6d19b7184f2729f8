"""The state's folder: nobody else on the machine looks into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard.config import Settings
from dashboard.storage.accounts import open_accounts
from dashboard.storage.catalog import Catalog
from dashboard.storage.eventsub_secret import eventsub_secret
from dashboard.storage.private import make_private_folder
from dashboard.storage.secret_key import derived_key


def settings_of(data_dir: Path) -> Settings:
    return Settings(_env_file=None, data_dir=data_dir, sandbox=True)


def mode_of(folder: Path) -> int:
    return folder.stat().st_mode & 0o777


WAYS: dict[str, Callable[[Path], object]] = {
    "database": lambda data_dir: open_accounts(settings_of(data_dir)).all(),
    "key": lambda data_dir: derived_key(settings_of(data_dir), "x"),
    "eventsub": lambda data_dir: eventsub_secret(settings_of(data_dir)),
    "catalogue": lambda data_dir: Catalog(data_dir / "state" / "catalog.sqlite"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("was", [None, 0o755, 0o777])
def test_whoever_comes_first_shuts_it(tmp_path: Path, way: str, was: int | None) -> None:
    folder = tmp_path / "data" / "state"
    if was is not None:
        folder.mkdir(parents=True)
        folder.chmod(was)
    WAYS[way](tmp_path / "data")
    assert mode_of(folder) == 0o700


def test_those_above_are_made_as_usual(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "a" / "b")
    assert mode_of(tmp_path / "a" / "b") == 0o700
    assert mode_of(tmp_path / "a") != 0o700


def test_a_folder_of_somebody_else_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o755)

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    make_private_folder(folder)
    assert mode_of(folder) == 0o755
