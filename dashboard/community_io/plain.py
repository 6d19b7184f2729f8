"""Values of a map as JSON and back, without loss: what is not a number becomes null and comes back."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Dataclasses and tuples as mappings and lists; NaN as None."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "item"):
        return to_plain(value.item())
    return value


def to_json(value: Any) -> str:
    """The same as text, in one line, the same text for the same value."""
    return json.dumps(to_plain(value), ensure_ascii=False, separators=(",", ":"))


def from_json(cls: type[T], text: str) -> T:
    """A dataclass from its text; fields that the text does not have keep their default."""
    return from_plain(cls, json.loads(text))


def from_plain(hint: Any, value: Any) -> Any:
    """A value of a type from what :func:`to_plain` made of it."""
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        told = {field.name: value[field.name] for field in fields(hint) if field.name in value}
        return hint(**{name: from_plain(hints[name], item) for name, item in told.items()})  # type: ignore[operator]
    if hint is float:
        return math.nan if value is None else float(value)
    if get_origin(hint) is tuple and isinstance(value, list):
        inner = get_args(hint)
        if len(inner) == 2 and inner[1] is Ellipsis:
            return tuple(from_plain(inner[0], item) for item in value)
        return tuple(from_plain(kind, item) for kind, item in zip(inner, value, strict=True))
    return value
