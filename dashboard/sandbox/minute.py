"""The sheet on which one minute of one channel is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import numpy as np
from numpy.typing import NDArray

from dashboard.sandbox import chance
from dashboard.sandbox.plan import Burst, Happening, Hype, Plan
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.schedule import Raid, Session
from dashboard.sandbox.users import User
from dashboard.sandbox.wire import Line

CHUNK_S = 60


@dataclass(slots=True)
class Minute:
    """What is known while one minute of one channel is written."""

    channel: Channel
    start_s: int
    session: Session | None
    plan: Plan | None
    random: Random
    known: list[User]
    """People present who talk."""
    calm_sum: NDArray[np.float64]
    """Running sums of how much each talks, for drawing; and the flatter ones of excited times."""
    excited_sum: NDArray[np.float64]
    raids: list[tuple[Raid, list[User]]]
    hypes: list[Hype]
    bursts: list[Burst]
    bombs: list[Happening]
    """Gift bombs of this minute and shortly before: people say thanks."""
    key: int
    written: list[Line] = field(default_factory=list)
    count: int = 0

    def next_id(self, seed: int) -> str:
        """The id of the next message; the same each time the minute is written."""
        self.count += 1
        return chance.uuid(seed, "message", self.channel.index, self.key, self.count)

    def clamp(self, at_s: float) -> float:
        """The same time, or the last moment of this minute."""
        return min(at_s, self.start_s + CHUNK_S - 0.0005)
