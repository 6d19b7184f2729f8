"""The help of ``query`` names every view there is, and no other."""

from __future__ import annotations

import re

from click.testing import CliRunner

from dashboard.cli_commands import query
from dashboard.storage.views import VIEWS


def test_the_help_names_every_view() -> None:
    text = CliRunner().invoke(query, ["--help"]).output
    named = re.findall(r"(?:Views|EventSub|jobs): ([^.]+)\.", text)
    assert sorted(word for part in named for word in re.findall(r"[a-z_]+", part)) == sorted(VIEWS)
