"""``python app.py communities``: files in, tables out, the same bytes each time, and plain words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dashboard.cli import Parts, build_cli
from dashboard.community_io.outputs import NAMES
from dashboard.storage.community_runs import CommunityRuns
from dashboard.storage.store import Store

TABLES = tuple(f"--only={name}" for name in NAMES if not name.startswith("map."))
QUICK = ("--seeds", "3", "--layout-iterations", "5")


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SANDBOX", "true")

    def nothing(*args: Any) -> Any:
        raise AssertionError("not this one")

    cli = build_cli(Parts(tmp_path, nothing, nothing, nothing, nothing))

    def run(*args: str) -> Result:
        return CliRunner().invoke(cli, ["communities", *args])

    return run


@pytest.fixture
def edges(tmp_path: Path) -> Path:
    """Two groups of four that share much inside and a little between; a loop, and a second spelling."""
    lines = ["Source,Target,Weight"]
    for group in ("red", "blue"):
        lines += [f"{group}{a},{group}{b},{100 + a}" for a in range(4) for b in range(a + 1, 4)]
    lines += ["red0,blue0,5", "Red0,red1,90", "red2,red2,7"]
    path = tmp_path / "edges.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def polls(folder: Path) -> Path:
    told = {
        f"{group}{number}": {
            "spect": [f"{group}_{n}" for n in range(40) if n % 4 != number]
            + [f"own_{group}{number}_{n}" for n in range(9)],
            "game_name": "Chess" if group == "red" else "Art",
            "viewer_count": 100,
        }
        for group in ("red", "blue")
        for number in range(4)
    }
    path = folder / "2022-04-14_10-48.json"
    path.write_text(json.dumps(told))
    return path


def last_line(answer: Result) -> dict[str, Any]:
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout.splitlines()[-1])


def test_a_map_of_an_edge_list(call: Any, edges: Path, tmp_path: Path) -> None:
    answer = call("analyze", "--edges", str(edges), "--out", "map", *QUICK)
    assert answer.exit_code == 0, answer.output
    assert "8 channels: 8 in 2 communities, 0 in none; modularity 0." in answer.stdout
    assert "around" in answer.stdout
    assert "(red0, red1, red2)" in answer.stdout or "red0" in answer.stdout
    assert "1 channel differed from another in upper and lower case only" in answer.stdout
    assert "1 edge of a channel with itself was left out." in answer.stdout
    assert "Files in map" in answer.stdout
    assert "3 of 6 · Communities" in answer.stderr
    told = json.loads((tmp_path / "map" / "analysis_results.json").read_text())
    groups = told["partition"]
    assert len({groups[f"red{n}"] for n in range(4)}) == 1
    assert groups["red0"] != groups["blue0"]
    assert told["config"]["seeds"] == 3
    # Kept for the page, and not twice.
    runs = CommunityRuns(Store(tmp_path / "data", threads=1))
    line = runs.newest("import")
    assert line is not None
    assert (line.n_channels, line.n_communities) == (8, 2)
    assert runs.newest("lake") is None
    assert (
        "The same map is kept already"
        in call("analyze", "--edges", str(edges), "--out", "map", *TABLES, *QUICK).stdout
    )
    assert len(runs.listed()) == 1


def test_both_orders_and_several_files(call: Any, tmp_path: Path) -> None:
    path = polls(tmp_path)
    (tmp_path / "2022-04-14_11-48.json").write_text(path.read_text())
    first = last_line(call("--polls", str(path), "--json", "--no-keep", *QUICK))
    second = last_line(call("analyze", "--polls", str(path), "--json", "--no-keep", *QUICK))
    third = last_line(call("--polls", str(path), "--json", "--no-keep", *QUICK, "analyze", "default"))
    for told in (first, second, third):
        assert told["ok"]
        assert told["statistics"]["n_communities"] == 2
        assert {community["label"] for community in told["communities"]} == {"Chess", "Art"}
        assert told["run_id"] == first["run_id"]
    # The shell writes *.json out.
    both = last_line(
        call("--polls", str(path), str(tmp_path / "2022-04-14_11-48.json"), "--json", "--no-keep", *QUICK)
    )
    assert "2 polls were put together." in both["notes"]
    assert CommunityRuns(Store(tmp_path / "data", threads=1)).listed() == []


def test_the_same_input_and_seed_are_the_same_bytes(call: Any, edges: Path, tmp_path: Path) -> None:
    for out in ("one", "two"):
        assert (
            call("--edges", str(edges), "--out", out, "--seed", "5", "--no-keep", *TABLES, *QUICK).exit_code
            == 0
        )
    for name in ("graph_nodes.csv", "graph_edges.csv", "graph.graphml"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    one, two = (json.loads((tmp_path / out / "analysis_results.json").read_text()) for out in ("one", "two"))
    assert json.dumps(one["partition"]) == json.dumps(two["partition"])
    assert one["communities"] == two["communities"]
    assert {**one, "timestamp": ""} == {**two, "timestamp": ""}


def test_what_was_made_comes_in_again(call: Any, edges: Path, tmp_path: Path) -> None:
    assert call("--edges", str(edges), "--out", "map", "--no-keep", *TABLES, *QUICK).exit_code == 0
    answer = call("--gexf", "map/graph.gexf", "--no-keep", "--out", "again", *TABLES, *QUICK)
    assert answer.exit_code == 0, answer.output
    assert (
        "The file's own communities: 2, over 8 channels that have one in both; NMI 1.00, ARI 1.00."
        in answer.stdout
    )
    tables = ("--edges", "map/graph_edges.csv", "--nodes", "map/graph_nodes.csv")
    assert last_line(call(*tables, "--json", "--no-keep", *QUICK))["statistics"]["n_channels"] == 8


def test_settings_from_preset_file_variable_and_option(
    call: Any, edges: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text("preset: explorer\nmin_shared: 101\n")
    monkeypatch.setenv("STREAMLENS_COMMUNITIES_TOP_K", "3")
    assert (
        call(
            "mine.yaml",
            "--edges",
            str(edges),
            "--out",
            "map",
            "--no-keep",
            "--algorithm",
            "louvain",
            *TABLES,
            *QUICK,
        ).exit_code
        == 0
    )
    told = json.loads((tmp_path / "map" / "analysis_results.json").read_text())["config"]
    assert (told["preset"], told["resolution"], told["min_shared"], told["top_k"], told["algorithm"]) == (
        "mine", 2.0, 101, 3, "louvain",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["rigouros", "--edges", "edges.csv"], 78, "Did you mean rigorous?"),
        (["--edges", "none.csv"], 1, "none.csv can't be read"),
        (["--gexf", "edges.csv"], 1, "line 1: this is not XML"),
        (["--edges", "edges.csv", "--gexf", "x"], 2, "Give one of --polls, --edges and --gexf"),
        (["--nodes", "edges.csv"], 2, "--nodes belongs to --edges"),
        (["continuous", "--edges", "edges.csv"], 2, "“continuous” is for the lake"),
        (["analyze", "default", "more", "--edges", "edges.csv"], 2, "“more” is too much"),
        (["continuous", "--every", "often"], 2, "--every often"),
        (["--edges", "edges.csv", "--seeds", "0"], 78, "seeds is 0"),
        (["--edges", "edges.csv", "--algorithm", "walktrap"], 2, "walktrap"),
    ],
)
def test_wrong_use_is_said(call: Any, edges: Path, args: list[str], code: int, words: str) -> None:
    answer = call(*args)
    assert (answer.exit_code, words in answer.output) == (code, True), answer.output


def test_errors_for_programs(call: Any) -> None:
    answer = call("--edges", "none.csv", "--json")
    assert answer.exit_code == 1
    told = json.loads(answer.stdout.splitlines()[-1])
    assert (told["ok"], told["error"]) == (False, "RecordingError")


def test_too_little_is_said(call: Any, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("a,b,100\n")
    answer = call("--edges", "few.csv", "--no-keep", *QUICK)
    assert answer.exit_code == 0, answer.output
    assert "Too little for a map" in answer.stdout


def test_the_lake_is_analysed_as_the_worker_does_it(call: Any, tmp_path: Path) -> None:
    import time

    from dashboard.sandbox import World
    from tests.integration.test_jobs_communities import survey_into

    survey_into(tmp_path / "data", World(7, 12), 8, now_s=int(time.time()))
    answer = call("analyze", "debug", "--out", "map", "--only", "map.html", "--json", *QUICK)
    told = last_line(answer)
    assert told["preset"] == "debug"
    line = CommunityRuns(Store(tmp_path / "data", threads=1)).newest("lake")
    assert line is not None
    assert (line.run_id, line.preset) == (told["run_id"], "debug")
    assert [path.name for path in (tmp_path / "map").iterdir()] == ["map.html"]


def test_help_tells_every_setting(call: Any) -> None:
    from dashboard.config_communities import known_names

    words = call("--help").output
    assert all(f"--{name.replace('_', '-')}" in words for name in known_names())
