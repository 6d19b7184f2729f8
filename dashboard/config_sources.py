"""Where settings come from besides the environment: the YAML file, and names that were misspelt."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

from dashboard.errors import ConfigError

DEFAULT_YAML = "streamlens.yaml"
YAML_VARIABLE = "STREAMLENS_CONFIG"


def yaml_path(environ: Mapping[str, str]) -> Path | None:
    """The YAML file to read, if there is one.

    Args:
        environ: The environment; ``STREAMLENS_CONFIG`` names the file.

    Returns:
        The file, or ``None`` when none is named and ``streamlens.yaml`` is not there.

    Raises:
        ConfigError: ``STREAMLENS_CONFIG`` names a file that is not there.
    """
    named = environ.get(YAML_VARIABLE, "").strip()
    if named and not Path(named).is_file():
        raise ConfigError(
            f"{YAML_VARIABLE}: there is no file {named}. "
            f"Create it, or unset {YAML_VARIABLE} to go without a YAML file."
        )
    path = Path(named or DEFAULT_YAML)
    return path if path.is_file() else None


def read_yaml(path: Path, known: Collection[str]) -> dict[str, Any]:
    """The settings that a YAML file holds; a name that is no setting stops, so no typo is lost.

    Args:
        path: The file: one mapping from setting to value, names in either case.
        known: The names of all settings, lower case.

    Returns:
        Values by lower-case name; settings left empty (``null``) are not in it.

    Raises:
        ConfigError: The file can't be read, is not YAML or names an unknown setting. It tells the
            file and, where there is one, the line; never a value, which may be a secret.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text. Save the file as UTF-8.") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror}). Check its owner and mode.") from None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{_place(path, error)}. Write one “name: value” a line.") from None
    except ValueError:  # what looks like a date but is none
        raise ConfigError(f"{path}: a value is no valid date. Put it in quotes.") from None
    if root is None or values is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"{path}, line {root.start_mark.line + 1}: not “name: value”. Write one a line.")
    _refuse_unknown_and_repeated(path, root, known)
    return {str(name).lower(): value for name, value in values.items() if value is not None}


def _place(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "not YAML"
    return f"{path}, line {mark.line + 1}: {problem}" if mark else f"{path}: {problem}"


def _refuse_unknown_and_repeated(path: Path, root: yaml.MappingNode, known: Collection[str]) -> None:
    problems: list[str] = []
    seen: set[str] = set()
    for key, _ in root.value:
        name = str(key.value).lower()
        place = f"{path}, line {key.start_mark.line + 1}"
        if name not in known:
            problems.append(f"{place}: “{key.value}” is not a setting.{_hint(name, known)}")
        elif name in seen:
            problems.append(f"{place}: “{key.value}” stands twice. Remove one.")
        seen.add(name)
    if problems:
        raise ConfigError("\n".join(problems))


def _hint(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.8)
    return f" Did you mean {close[0]}?" if close else " All names stand in .env.example."


def misspelt_names(known: Collection[str], *, env_file: Path = Path(".env")) -> dict[str, str]:
    """Names in ``.env`` and the environment that look like a setting with a typo.

    Unknown names can't be refused there: both hold other programs' variables too.

    Args:
        known: The names of all settings, lower case.
        env_file: The file beside the environment.

    Returns:
        The setting that was probably meant, by the name as written, both upper case.
    """
    names = set(os.environ)
    if env_file.is_file():
        names.update(dotenv_values(env_file))
    found: dict[str, str] = {}
    for name in sorted(names):
        # Short names (HOME, POST) are too close to ours by chance to be worth a warning.
        if name.lower() in known or len(name) < 7:
            continue
        close = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.88)
        if close:
            found[name.upper()] = close[0].upper()
    return found
