"""The sandbox's planted communities are found at default settings, and other seeds find the same."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.analytics.communities.analyse import analyse
from dashboard.analytics.communities.build import channels_of, presence_from_sightings
from dashboard.analytics.communities.inputs import Ints
from dashboard.analytics.communities.model import MapRun
from dashboard.analytics.communities.params import MapParams
from dashboard.analytics.communities.scores import adjusted_rand, normalised_mutual_information
from dashboard.sandbox.world import World

_DAY_MINUTE = 1_790_000_000 // 60


def planted(seed: int) -> tuple[MapRun, MapRun, Ints]:
    """Two analyses of a day of polls, one an hour, from different seeds; and the truth."""
    world = World(seed, 40)
    rooms, people, polls = [], [], []
    for minute in range(_DAY_MINUTE, _DAY_MINUTE + 1440, 60):
        for channel in world.channels:
            found = [str(person) for person in world.audience.chatters(channel.index, minute).tolist()]
            rooms += [channel.user_id] * len(found)
            people += found
            polls += [minute * 60_000_000] * len(found)
    channels = channels_of(
        [channel.user_id for channel in world.channels],
        logins=[channel.login for channel in world.channels],
        games=[channel.community.games[0].name for channel in world.channels],
        languages=[channel.language for channel in world.channels],
    )
    presence = presence_from_sightings(rooms, people, polls, channels=channels)
    one, other = (
        analyse(presence, MapParams(with_layout=False), run_id=f"run-{n}", created_at=0, seed=n)
        for n in (1, 2)
    )
    truth = {channel.user_id: channel.community.index for channel in world.channels}
    return one, other, np.array([truth[key] for key in one.nodes.channels.ids])


@pytest.mark.parametrize("seed", [7, 11])
def test_the_planted_communities(seed: int) -> None:
    one, other, truth = planted(seed)

    assert len(truth) == 40
    assert normalised_mutual_information(truth, one.nodes.community) >= 0.95
    assert adjusted_rand(one.nodes.community, other.nodes.community) >= 0.98
    assert dict(one.quality.left_out)["lurkers"] >= 15
    labels = [community.label for community in one.communities]
    assert len(set(labels)) == len(labels)
