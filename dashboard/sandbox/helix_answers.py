"""What every group of Helix answers shares."""

from __future__ import annotations

from dashboard.sandbox.helix_call import Call, HelixError
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.users import User
from dashboard.sandbox.world import World


class Answers:
    """A group of Helix's endpoints.

    Args:
        world: What they tell about.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def _broadcaster(self, call: Call) -> Channel:
        channel = self._world.channel_by_id(call.one("broadcaster_id"))
        if channel is None:
            raise HelixError(400, "The broadcaster_id is not the ID of a channel")
        return channel

    def _own_channel(self, call: Call, *scopes: str) -> Channel:
        """The channel that is asked about, if the person who asks owns it."""
        owner = call.need(*scopes)
        channel = self._broadcaster(call)
        if owner.user_id != channel.user_id:
            raise HelixError(
                401, "The ID in broadcaster_id must match the user ID found in the request's OAuth token."
            )
        return channel

    def _moderates(self, user: User, channel: Channel, now_s: float) -> bool:
        return user.user_id == channel.user_id or self._world.standings.of(user, channel, now_s).is_mod
