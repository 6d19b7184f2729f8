from __future__ import annotations

from dashboard.analytics.metrics import METRICS


def test_every_tile_has_a_definition_in_one_sentence_and_says_what_it_cannot_tell() -> None:
    assert set(METRICS) == {
        "viewers",
        "velocity",
        "burst",
        "unique_chatters",
        "engagement",
        "retention",
        "uptime",
        "game",
    }
    for key, spec in METRICS.items():
        assert spec.key == key
        assert spec.definition.endswith(".")
        assert spec.definition.count(". ") == 0, key
        assert spec.caveat.endswith("."), key
        assert spec.tooltip == f"{spec.definition} {spec.caveat}"
