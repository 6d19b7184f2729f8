"""How a map of communities is made: presets, files of one's own, the environment; checked name by name."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import yaml
from dotenv import dotenv_values

from dashboard.analytics.communities.params import MapParams, params_from_dict
from dashboard.errors import ConfigError

PRESETS: Final = ("default", "rigorous", "explorer", "debug")
PREFIX: Final = "STREAMLENS_COMMUNITIES_"
"""Of the environment's names: ``STREAMLENS_COMMUNITIES_MIN_SHARED=10``; ``…_PRESET`` names preset or file."""
_FOLDER: Final = Path(__file__).parent / "community_io" / "presets"
_PRESET: Final = "preset"


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read from the lake, and how a run is told."""

    period_days: float = 30
    seen: Literal["met", "speakers"] = "met"
    sources: Literal["all", "survey", "chat"] = "all"
    seed: int = 0
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class CommunitiesConfig:
    """Everything that a run is told."""

    preset: str
    """Its name, or the file's."""
    params: MapParams
    reading: Reading


def known_names() -> dict[str, Any]:
    """Every name that can be set, with its type."""
    return get_type_hints(Reading) | get_type_hints(MapParams)


def load_communities(
    preset: str = "",
    overrides: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    env_file: Path = Path(".env"),
) -> CommunitiesConfig:
    """Reads how a map is to be made.

    Args:
        preset: ``default``, ``rigorous``, ``explorer``, ``debug`` or a YAML file; empty: as the
            environment says, else ``default``.
        overrides: Names and values that win over all else; None is not said.
        environ: Instead of the process's own.
        env_file: Beside the environment, which wins over it.

    Returns:
        Preset, then environment, then overrides.

    Raises:
        ConfigError: A name or a value is wrong; names the place, the name, and the nearest valid one.
    """
    told = environment_of(os.environ if environ is None else environ, env_file)
    preset = preset or told.pop(_PRESET, ("", "default"))[1]
    told.pop(_PRESET, None)
    values: dict[str, Any] = _read_preset(preset)
    for name, (place, text) in told.items():
        values[name] = _from_text(place, name, text)
    for name, value in (overrides or {}).items():
        if value is not None:
            _check_name("the command line", name)
            values[name] = _checked("the command line", name, value)
    return CommunitiesConfig(Path(preset).stem, *_built(preset, values))


def read_texts(told: Mapping[str, Any], place: str = "the run's parameters") -> dict[str, Any]:
    """Values from text, as commands and jobs are told them.

    Raises:
        ConfigError: A name or a value is wrong.
    """
    found = {}
    for name, value in told.items():
        name = name.lower().replace("-", "_")
        _check_name(place, name)
        found[name] = _from_text(place, name, value) if isinstance(value, str) else value
    return found


def environment_of(environ: Mapping[str, str], env_file: Path) -> dict[str, tuple[str, str]]:
    """What the environment and ``.env`` say of maps: by name, the variable and its text."""
    found: dict[str, tuple[str, str]] = {}
    beside = dotenv_values(env_file) if env_file.is_file() else {}
    for variable, text in (*beside.items(), *environ.items()):
        if variable.upper().startswith(PREFIX) and text:
            name = variable[len(PREFIX) :].lower()
            if name != _PRESET:
                _check_name(variable, name)
            found[name] = (variable, text.strip())
    return found


def _read_preset(preset: str, above: tuple[str, ...] = ()) -> dict[str, Any]:
    """Values of a preset or a file, over those of the preset that it names."""
    if preset in PRESETS:
        # What default.yaml says is what holds anyway; it is there to be read and copied.
        return {} if preset == "default" else dict(_shipped(preset))
    path = Path(preset)
    if not path.is_file():
        hint = _nearest(preset, PRESETS)
        raise ConfigError(
            f"“{preset}” is neither a preset nor a file.{hint} Presets are {', '.join(PRESETS)}; "
            "a file of your own ends in .yaml."
        )
    values = _read_file(path)
    base = str(values.pop(_PRESET, "default"))
    if base not in PRESETS and (path.parent / base).is_file():
        base = str(path.parent / base)
    if base in above or base == preset:
        raise ConfigError(
            f"{path}: “preset: {base}” goes round in a circle. Name one of {', '.join(PRESETS)}."
        )
    return _read_preset(base, (*above, preset)) | values


@cache
def _shipped(name: str) -> dict[str, Any]:
    return _read_file(_FOLDER / f"{name}.yaml")


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read ({error}).") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise ConfigError(f"{path}{line}: {problem}. Write one “name: value” a line.") from None
    if root is None or values is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"{path}, line 1: not “name: value”. Write one a line.")
    found: dict[str, Any] = {}
    for key, _ in root.value:
        place, name = f"{path}, line {key.start_mark.line + 1}", str(key.value).lower().replace("-", "_")
        if name in found:
            raise ConfigError(f"{place}: “{key.value}” stands twice. Remove one.")
        value = values[key.value]
        if name == _PRESET:
            found[name] = str(value)
            continue
        _check_name(place, name)
        if value is not None:
            found[name] = _checked(place, name, value)
    return found


def _check_name(place: str, name: str) -> None:
    if name not in known_names():
        raise ConfigError(
            f"{place}: “{name}” is no setting of a map.{_nearest(name, (*known_names(), _PRESET))}"
        )


def _nearest(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f" Did you mean {close[0]}?" if close else ""


def _from_text(place: str, name: str, text: str) -> Any:
    """A value as the environment has it: always text."""
    hint = known_names()[name]
    if hint is bool:
        words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False,
                 "0": False}  # fmt: skip
        return _checked(place, name, words.get(text.lower(), text))
    if hint in (int, float):
        try:
            return _checked(place, name, hint(text))
        except ValueError:
            return _checked(place, name, text)
    if get_origin(hint) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return _checked(place, name, text)


def _checked(place: str, name: str, value: Any) -> Any:
    """A value of the right type."""
    hint = known_names()[name]
    if get_origin(hint) is tuple:
        parts = [value] if isinstance(value, str) else value
        if isinstance(parts, list | tuple) and all(isinstance(part, str) for part in parts):
            return tuple(parts)
        raise ConfigError(f"{place}: {name} is {value!r}; write a list of words.")
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            close = _nearest(str(value), get_args(hint))
            raise ConfigError(f"{place}: {name} is {value!r}; it may be {', '.join(get_args(hint))}.{close}")
        return value
    if hint is bool and not isinstance(value, bool):
        raise ConfigError(f"{place}: {name} is {value!r}; it may be true or false.")
    if hint is int and (isinstance(value, bool) or not isinstance(value, int)):
        raise ConfigError(f"{place}: {name} is {value!r}; write a whole number.")
    if hint is float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{place}: {name} is {value!r}; write a number.")
        return float(value)
    return value


def _built(preset: str, values: dict[str, Any]) -> tuple[MapParams, Reading]:
    own = {field.name for field in fields(Reading)}
    reading = replace(Reading(), **{name: value for name, value in values.items() if name in own})
    if not 0 < reading.period_days <= 3660:
        raise ConfigError(f"{preset}: period_days is {reading.period_days:g}; it may be above 0 to 3660.")
    try:
        params = params_from_dict({name: value for name, value in values.items() if name not in own})
    except ValueError as error:
        raise ConfigError(f"{preset}: {error}.") from None
    return params, reading
