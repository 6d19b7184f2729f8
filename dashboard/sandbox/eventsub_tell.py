"""Turns what happens in the world into EventSub's words."""

from __future__ import annotations

from dashboard.sandbox import eventsub_chat, eventsub_lines
from dashboard.sandbox.eventsub_chat import ChatTeller
from dashboard.sandbox.eventsub_lines import LineTeller
from dashboard.sandbox.eventsub_messages import Told
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.stage import Stage
from dashboard.sandbox.stage_games import Games
from dashboard.sandbox.wire import Line
from dashboard.sandbox.world import World

_LINE_NAMES = eventsub_chat.NAMES | eventsub_lines.NAMES


class Teller:
    """Tells lines of chat and the rest of what happens on a channel.

    Args:
        world: What happens.
    """

    def __init__(self, world: World) -> None:
        self._chat = ChatTeller(world)
        self._lines = LineTeller(world, self._chat)
        self.stage = Stage(world, self._lines, Games(world))

    @staticmethod
    def needs_lines(names: frozenset[str]) -> bool:
        """Whether any of these types comes out of chat lines."""
        return bool(names & _LINE_NAMES)

    def of_line(self, channel: Channel, line: Line, names: frozenset[str]) -> list[Told]:
        """What one line of chat is told as."""
        found = self._chat.tell(channel, line, names)
        if names & eventsub_lines.NAMES:
            found += self._lines.tell(channel, line, names)
        return found
