"""Recordings that nobody on the project wrote; they stay where they are and are never copied here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def recorded_dir() -> Path:
    """The folder of recordings: STREAMLENS_RECORDED_DIR, else ../shared/data beside the project."""
    path = Path(os.environ.get("STREAMLENS_RECORDED_DIR") or _DEFAULT)
    if not path.is_dir():
        pytest.skip(f"no recordings in {path}; set STREAMLENS_RECORDED_DIR to run these tests")
    return path
