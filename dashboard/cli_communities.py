"""``communities`` on the command line: make a map, once or again and again, of the lake or of files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

import click

from dashboard.cli_commands import checked_settings
from dashboard.cli_output import errors_said_plainly
from dashboard.community_io.outputs import NAMES
from dashboard.config_communities import PRESETS, known_names

if TYPE_CHECKING:
    from dashboard.config import Settings
    from dashboard.jobs.context import OpenTwitch

MODES: Final = ("analyze", "continuous")
_FILE = click.Path(path_type=Path)
_WORDS: Final = {
    "period_days": "Days of the lake, back from now.",
    "seen": "met: also whom a chat's list of names showed; speakers: only who wrote.",
    "sources": "What of the lake is read.",
    "seed": "Other seeds try the channels in another order.",
    "verbose": "Also every channel, and how long each step took.",
    "min_channel_chatters": "Channels with fewer people are left out.",
    "min_shared": "Overlaps of fewer people are left out.",
    "max_channels": "Only so many of the largest.",
    "resolution": "Above 1 more and smaller communities.",
    "algorithm": "The other one runs beside it as a check.",
    "measure": "What an overlap weighs.",
    "min_community_size": "Smaller groups are shown as isolates.",
    "young_days": "Leave out accounts younger than this.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody typed."""

    mode: str
    preset: str
    polls: tuple[Path, ...]
    edges: tuple[Path, ...]
    nodes: tuple[Path, ...]
    gexf: Path | None
    out: Path | None
    every_s: float
    is_kept: bool
    as_json: bool
    only: tuple[str, ...]
    overrides: dict[str, Any]

    @property
    def is_import(self) -> bool:
        """Whether files are read instead of the lake."""
        return bool(self.polls or self.edges or self.gexf)


def communities_command(
    open_twitch: OpenTwitch | None, import_surveys: Callable[[Settings], int] | None = None
) -> click.Command:
    """Makes the command.

    Args:
        open_twitch: Gives the job its access to Twitch.
        import_surveys: Brings the sandbox's past surveys in.

    Returns:
        ``communities``.
    """

    def communities(words: tuple[str, ...], **options: Any) -> None:
        as_json = bool(options["as_json"])
        with errors_said_plainly(as_json):
            from dashboard.cli_communities_run import (
                analyse_files,
                analyse_lake,
                bring_past,
                keep_analysing,
            )

            asked = _asked(words, options)
            settings = checked_settings()
            if import_surveys is not None and not asked.is_import:
                bring_past(settings, import_surveys, is_quiet=as_json)
            if asked.is_import:
                analyse_files(settings, asked)
            elif asked.mode == "continuous":
                keep_analysing(settings, open_twitch, asked)
            else:
                sys.exit(analyse_lake(settings, open_twitch, asked))

    communities.__doc__ = _HELP
    command = click.command("communities", epilog=_EPILOG)(communities)
    command.params[:0] = [
        click.Argument(["words"], nargs=-1, metavar="[analyze|continuous] [PRESET|FILE.yaml]")
    ]
    command.params += [*_own_options(), *_setting_options()]
    return command


_HELP = f"""Make the map of communities: who shares chatters with whom.

Without files it is made of what was collected here, kept in the lake, shown on the Community page,
and told in files. Presets are {", ".join(PRESETS)}; a file of your own is YAML.

\b
python app.py communities analyze
python app.py communities analyze rigorous --out map
python app.py communities continuous --every 12h
python app.py communities --polls 2022-04-14_10-48.json --out map
python app.py communities --edges edges.csv --nodes nodes.csv --resolution 1.5
python app.py communities --gexf map.gexf --seed 7 --json
"""
_EPILOG = """Every setting of a map has an option; what is not said comes from the preset, after the
variables STREAMLENS_COMMUNITIES_…. The same input and seed make the same tables, to the byte."""


def _own_options() -> list[click.Option]:
    return [
        click.Option(
            ["--polls"], multiple=True, type=_FILE,
            help="JSON files (or folders of them) that list who was in which chat. Repeatable.",
        ),
        click.Option(["--edges"], multiple=True, type=_FILE, help="CSV of overlaps: source, target, weight."),
        click.Option(["--nodes"], multiple=True, type=_FILE, help="CSV of their channels: id, label, size."),
        click.Option(["--gexf"], type=_FILE, help="A map as GEXF, of any version."),
        click.Option(["--out"], type=click.Path(file_okay=False, path_type=Path), help="Where the files go."),
        click.Option(
            ["--only"], multiple=True, type=click.Choice(NAMES),
            help="Only this file into --out. Repeatable.",
        ),
        click.Option(["--every"], default="24h", show_default=True, help="For continuous: 90m, 12h, 1d."),
        click.Option(
            ["--keep/--no-keep", "is_kept"], default=True,
            help="Whether a map of files is kept in the lake too, for the page.  [default: keep]",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="End with one line of JSON."),
    ]  # fmt: skip


def _setting_options() -> list[click.Option]:
    return [_option(name, hint) for name, hint in known_names().items()]


def _option(name: str, hint: Any) -> click.Option:
    flag, words = "--" + name.replace("_", "-"), _WORDS.get(name, "As in the presets.")
    if hint is bool:
        return click.Option([f"{flag}/--no-{flag[2:]}", name], default=None, help=words)
    if get_origin(hint) is tuple:
        return click.Option([flag, name], multiple=True, metavar="NAME", help=f"{words} Repeatable.")
    if get_origin(hint) is Literal:
        return click.Option([flag, name], type=click.Choice(get_args(hint)), help=words)
    return click.Option([flag, name], type={int: click.INT, float: click.FLOAT}[hint], help=words)


def _asked(words: tuple[str, ...], options: dict[str, Any]) -> Asked:
    left = list(words)
    mode = left.pop(0) if left and left[0] in MODES else "analyze"
    polls = list(options["polls"])
    while polls and left and Path(left[0]).is_file() and not left[0].lower().endswith((".yaml", ".yml")):
        polls.append(Path(left.pop(0)))  # The shell writes *.json out.
    if left and left[-1] in MODES:
        mode = left.pop()
    if len(left) > 1:
        raise click.UsageError(f"“{left[1]}” is too much: give a mode, and one preset or YAML file.")
    names = known_names()
    asked = Asked(
        mode=mode,
        preset=left[0] if left else "",
        polls=tuple(polls),
        edges=tuple(options["edges"]),
        nodes=tuple(options["nodes"]),
        gexf=options["gexf"],
        out=options["out"],
        every_s=_seconds(options["every"]),
        is_kept=options["is_kept"],
        as_json=options["as_json"],
        only=tuple(options["only"]),
        overrides={name: options[name] for name in names if options[name] not in (None, ())},
    )
    _check(asked)
    return asked


def _check(asked: Asked) -> None:
    if sum(map(bool, (asked.polls, asked.edges, asked.gexf))) > 1:
        raise click.UsageError("Give one of --polls, --edges and --gexf: each is a map of its own.")
    if asked.nodes and not asked.edges:
        raise click.UsageError("--nodes belongs to --edges: name the file of overlaps too.")
    if asked.is_import and asked.mode == "continuous":
        raise click.UsageError("Files do not change: “continuous” is for the lake.")


def _seconds(text: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    try:
        value = float(text[:-1]) * units[text[-1]] if text[-1:] in units else float(text) * 3600
    except ValueError:
        value = 0.0
    if not 10 <= value <= 366 * 86_400:
        raise click.UsageError(f"--every {text}: give a length of time such as 90m, 12h or 1d.")
    return value
