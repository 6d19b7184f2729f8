"""Helix: emotes, badges, colours, the settings of chat."""

from __future__ import annotations

from dashboard.sandbox import catalogue
from dashboard.sandbox.helix_answers import Answers
from dashboard.sandbox.helix_call import Call, Handler


class LooksHelix(Answers):
    """How chat looks."""

    def handlers(self) -> dict[str, Handler]:
        """By method and path."""
        return {
            "GET chat/emotes/global": self._global_emotes,
            "GET chat/emotes": self._channel_emotes,
            "GET chat/badges/global": self._global_badges,
            "GET chat/badges": self._channel_badges,
            "GET chat/color": self._colors,
            "GET chat/settings": self._settings,
        }

    async def _global_emotes(self, call: Call) -> dict[str, object]:
        return catalogue.global_emotes()

    async def _channel_emotes(self, call: Call) -> dict[str, object]:
        return catalogue.channel_emotes(self._broadcaster(call))

    async def _global_badges(self, call: Call) -> dict[str, object]:
        return catalogue.global_badges()

    async def _channel_badges(self, call: Call) -> dict[str, object]:
        return catalogue.channel_badges(self._broadcaster(call))

    async def _colors(self, call: Call) -> dict[str, object]:
        users = filter(None, map(self._world.population.by_id, call.all("user_id")))
        return {"data": [catalogue.person(user) | {"color": user.color} for user in users]}

    async def _settings(self, call: Call) -> dict[str, object]:
        channel = self._broadcaster(call)
        modes = self._world.room_modes(channel.login, call.now_s)
        minutes, slow = int(modes["followers-only"]), int(modes["slow"])
        return {
            "data": [
                {
                    "broadcaster_id": channel.user_id,
                    "slow_mode": slow > 0,
                    "slow_mode_wait_time": slow or None,
                    "follower_mode": minutes >= 0,
                    "follower_mode_duration": minutes if minutes >= 0 else None,
                    "subscriber_mode": modes["subs-only"] == "1",
                    "emote_mode": modes["emote-only"] == "1",
                    "unique_chat_mode": modes["r9k"] == "1",
                }
            ]
        }
