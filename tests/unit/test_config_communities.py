"""Presets, files and the environment: every setting of a map arrives, every typo is named."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboard.analytics.communities.params import MapParams
from dashboard.config_communities import (
    PRESETS,
    CommunitiesConfig,
    Reading,
    known_names,
    load_communities,
)
from dashboard.errors import ConfigError

OTHER: dict[str, Any] = {
    "period_days": 7.5,
    "seen": "speakers",
    "sources": "chat",
    "seed": 9,
    "verbose": True,
    "min_channel_chatters": 11,
    "min_chatter_channels": 2,
    "min_sightings": 3,
    "games": ("Chess", "Just Chatting"),
    "languages": ("de", "en"),
    "max_channels": 77,
    "without_services": False,
    "lurker_rule": 33,
    "lurker_statistics": False,
    "young_days": 14,
    "measure": "lift",
    "min_shared": 21,
    "min_measure": 0.125,
    "over_chance": False,
    "backbone": "significance",
    "backbone_alpha": 0.01,
    "top_k": 4,
    "algorithm": "louvain",
    "resolution": 2.75,
    "seeds": 30,
    "min_community_size": 6,
    "label_share": 0.5,
    "label_lift": 2.5,
    "layout_iterations": 10,
    "with_layout": False,
    "max_edges_kept": 1000,
}


def load(preset: str = "", environ: dict[str, str] | None = None, **overrides: Any) -> CommunitiesConfig:
    return load_communities(preset, overrides, environ=environ or {}, env_file=Path("none.env"))


def value_of(config: CommunitiesConfig, name: str) -> Any:
    part = config.reading if hasattr(config.reading, name) else config.params
    return getattr(part, name)


def test_there_is_another_value_for_every_setting() -> None:
    assert set(OTHER) == set(known_names())
    base = load()
    assert not [name for name, value in OTHER.items() if value_of(base, name) == value]


def test_default_is_the_default() -> None:
    config = load()
    assert config == CommunitiesConfig("default", MapParams(), Reading())
    # And its file tells every name, with the value that it has.
    path = Path(known_names.__code__.co_filename).parent / "community_io" / "presets" / "default.yaml"
    assert set(yaml.safe_load(path.read_text())) == {f.name for f in (*fields(MapParams), *fields(Reading))}
    copied = load(str(path))
    assert (copied.params, copied.reading) == (config.params, config.reading)


def test_presets() -> None:
    rigorous = load("rigorous").params
    assert (rigorous.min_shared, rigorous.min_community_size, rigorous.min_channel_chatters) == (300, 10, 10)
    assert load("explorer").params.resolution == 2
    debug = load("debug")
    assert (debug.params.max_channels, debug.reading.verbose) == (100, True)
    assert [load(name).preset for name in PRESETS] == list(PRESETS)


@pytest.mark.parametrize("name", list(OTHER))
def test_every_setting_from_a_file(tmp_path: Path, name: str) -> None:
    value = list(OTHER[name]) if isinstance(OTHER[name], tuple) else OTHER[name]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({name: value}))
    config = load(str(tmp_path / "mine.yaml"))
    assert value_of(config, name) == OTHER[name]
    assert config.preset == "mine"


@pytest.mark.parametrize("name", list(OTHER))
def test_every_setting_from_the_environment(name: str) -> None:
    value = OTHER[name]
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    assert value_of(load(environ={f"STREAMLENS_COMMUNITIES_{name.upper()}": text}), name) == value


def test_what_wins(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("preset: rigorous\nmin-shared: 20\nresolution: 1.5\n")
    environ = {"STREAMLENS_COMMUNITIES_RESOLUTION": "2.5", "STREAMLENS_COMMUNITIES_SEEDS": "40"}
    config = load(str(path), environ, seeds=50, algorithm=None)
    params = config.params
    # The file over the preset it names, the environment over the file, the command line over both.
    assert (params.min_community_size, params.min_shared, params.resolution, params.seeds) == (
        10,
        20,
        2.5,
        50,
    )
    assert load("", {"STREAMLENS_COMMUNITIES_PRESET": "explorer"}).preset == "explorer"
    assert load("debug", {"STREAMLENS_COMMUNITIES_PRESET": "explorer"}).preset == "debug"


def test_from_a_file_of_variables(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STREAMLENS_COMMUNITIES_SEEDS=7\nSTREAMLENS_COMMUNITIES_TOP_K=2\n")
    config = load_communities(environ={"STREAMLENS_COMMUNITIES_TOP_K": "3"}, env_file=tmp_path / ".env")
    assert (config.params.seeds, config.params.top_k) == (7, 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "seeds: 20\nmin_sharde: 3\n",
            "mine.yaml, line 2: “min_sharde” is no setting of a map. Did you mean min_shared?",
        ),
        ("min_shared: many\n", "line 1: min_shared is 'many'; write a whole number"),
        ("min_shared: 2.5\n", "write a whole number"),
        ("min_shared: true\n", "write a whole number"),
        ("resolution: high\n", "resolution is 'high'; write a number"),
        ("verbose: 3\n", "it may be true or false"),
        ("measure: jacard\n", "it may be shared, jaccard, containment, lift. Did you mean jaccard?"),
        ("games: {a: 1}\n", "write a list of words"),
        ("resolution: -1\n", "resolution is -1.0; it must be above 0"),
        ("period_days: 0\n", "period_days is 0"),
        ("seeds: 3\nseeds: 4\n", "line 2: “seeds” stands twice"),
        ("preset: mine.yaml\n", "goes round in a circle"),
        ("preset: rigourous\n", "Did you mean rigorous?"),
        ("- 1\n", "not “name: value”"),
        ("a: [\n", "line 2"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(str(tmp_path / "mine.yaml"))
    assert words in str(caught.value)


def test_what_is_wrong_elsewhere() -> None:
    with pytest.raises(
        ConfigError, match=r"“explorre” is neither a preset nor a file\. Did you mean explorer"
    ):
        load("explorre")
    with pytest.raises(ConfigError, match=r"_SEEDZ: “seedz” is no setting of a map\. Did you mean seed"):
        load(environ={"STREAMLENS_COMMUNITIES_SEEDZ": "3"})
    with pytest.raises(ConfigError, match=r"_SEEDS: seeds is 'x'; write a whole number"):
        load(environ={"STREAMLENS_COMMUNITIES_SEEDS": "x"})
