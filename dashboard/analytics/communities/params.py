"""Everything about a community map that can be set, with what it is when nobody sets it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Literal, get_args

Measure = Literal["shared", "jaccard", "containment", "lift"]
Algorithm = Literal["leiden", "louvain"]
Backbone = Literal["threshold", "disparity", "significance"]

MEASURES: Final[tuple[str, ...]] = get_args(Measure)
ALGORITHMS: Final[tuple[str, ...]] = get_args(Algorithm)
BACKBONES: Final[tuple[str, ...]] = get_args(Backbone)


@dataclass(frozen=True, slots=True)
class MapParams:
    """The settings of a map, in the order the steps read them. Frozen; ``dataclasses.replace`` changes one.

    Raises:
        ValueError: A value that makes no sense; the message names the field and what it may be.
    """

    # Who counts
    min_channel_chatters: int = 5
    """Channels with fewer chatters are left out."""
    min_chatter_channels: int = 1
    """Chatters seen in fewer channels are left out; 2 keeps those who tie channels together."""
    min_sightings: int = 1
    """Pairs seen on fewer occasions are left out: 2 keeps repeat viewers. Only where a source counts them."""
    games: tuple[str, ...] = ()
    """Only channels with one of these categories; empty: all."""
    languages: tuple[str, ...] = ()
    """Only channels in one of these languages; empty: all."""
    max_channels: int = 0
    """Only the so many largest channels; 0: all."""
    without_services: bool = True
    """Leave known service accounts out."""
    lurker_rule: int = 20
    """Leave out whoever was in so many channels at once; 0: nobody."""
    lurker_statistics: bool = True
    """Also leave out whoever is in more channels than the others' numbers can explain."""
    young_days: int = 0
    """Leave out accounts younger than so many days at the end of the period; 0: nobody."""

    # Which overlaps count
    measure: Measure = "containment"
    """What an edge weighs when communities are looked for; of containment the smaller channel's share."""
    min_shared: int = 2
    """Overlaps of fewer shared chatters are left out."""
    min_measure: float = 0.0
    """Overlaps that weigh less in the chosen measure are left out."""
    over_chance: bool = True
    """Communities are looked for in what goes beyond chance: two large channels share people anyway."""
    backbone: Backbone = "disparity"
    """Which edges are drawn: all above the threshold, or those that stand out statistically."""
    backbone_alpha: float = 0.05
    """An edge stands out when chance gives one like it less often than this."""
    top_k: int = 8
    """Of the backbone, each channel's so many strongest edges are drawn; 0: all."""

    # Communities
    algorithm: Algorithm = "leiden"
    resolution: float = 1.5
    """Above 1 more and smaller communities, below 1 fewer and larger ones."""
    seeds: int = 20
    """So many runs from different starts make the consensus and each channel's stability."""
    min_community_size: int = 2
    """Smaller groups of channels are shown as isolates."""

    # Labels and picture
    label_share: float = 0.35
    """A game, language or content type names a community when so many of its channels have it."""
    label_lift: float = 1.2
    """… and when it is so many times as frequent as on the whole map."""
    layout_iterations: int = 250
    with_layout: bool = True
    max_edges_kept: int = 200_000
    """Of all edges above the threshold, the strongest are kept with the run, for the sliders."""

    def __post_init__(self) -> None:
        _one_of("measure", self.measure, MEASURES)
        _one_of("algorithm", self.algorithm, ALGORITHMS)
        _one_of("backbone", self.backbone, BACKBONES)
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it may not be below {least}")
        if not 0 < self.backbone_alpha <= 1:
            raise ValueError(f"backbone_alpha is {self.backbone_alpha!r}; it may be from above 0 to 1")
        if self.resolution <= 0:
            raise ValueError(f"resolution is {self.resolution!r}; it must be above 0")

    def as_dict(self) -> dict[str, object]:
        """The settings by name, ready for JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


_LEAST: Final = {
    "min_channel_chatters": 0,
    "min_chatter_channels": 1,
    "min_sightings": 1,
    "max_channels": 0,
    "lurker_rule": 0,
    "young_days": 0,
    "min_shared": 1,
    "min_measure": 0,
    "top_k": 0,
    "seeds": 1,
    "min_community_size": 2,
    "label_share": 0,
    "label_lift": 0,
    "layout_iterations": 0,
    "max_edges_kept": 1,
}


def params_from_dict(values: dict[str, object]) -> MapParams:
    """Settings from a mapping that came out of JSON or YAML.

    Args:
        values: By name; what is not named keeps its default.

    Raises:
        ValueError: A name that is no setting, or a value that makes no sense.
    """
    known = {field.name for field in fields(MapParams)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f"no such setting of a map: {', '.join(unknown)}")
    told = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return MapParams(**told)  # type: ignore[arg-type]


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; it may be {', '.join(allowed)}")
