"""Helix: hype trains, polls, predictions, goals; and search.

Source: https://dev.twitch.tv/docs/api/reference/#get-hype-train-status and the others by their names
"""

from __future__ import annotations

from dashboard.sandbox import catalogue
from dashboard.sandbox.eventsub_messages import Payload
from dashboard.sandbox.helix_answers import Answers
from dashboard.sandbox.helix_call import Call, Handler, rfc3339
from dashboard.sandbox.nanos import nanos
from dashboard.sandbox.scene import GAMES, Channel
from dashboard.sandbox.schedule import DAY_S, Session
from dashboard.sandbox.stage_games import Games, Poll, Prediction
from dashboard.sandbox.world import World

_KEPT_S = 90 * DAY_S


class GamesHelix(Answers):
    """What streamers run beside the stream.

    Args:
        world: What happens.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._games = Games(world)

    def handlers(self) -> dict[str, Handler]:
        """By method and path."""
        return {
            "GET hypetrain/status": self._hype_train,
            "GET polls": self._polls,
            "GET predictions": self._predictions,
            "GET goals": self._goals,
            "GET search/categories": self._search_categories,
            "GET search/channels": self._search_channels,
        }

    def _recent(self, channel: Channel, now: float) -> list[Session]:
        """The last ten streams, newest first."""
        found = self._world.schedule.sessions_between(channel.index, now - _KEPT_S, now)
        return list(reversed(found))[:10]

    async def _hype_train(self, call: Call) -> dict[str, object]:
        channel = self._own_channel(call, "channel:read:hype_train")
        session = self._world.schedule.session_at(channel.index, call.now_s)
        level, total = self._games.record(channel)
        best = {"level": level, "total": total, "achieved_at": nanos(1_767_000_000, 3)}
        current = None
        for train in self._world.trains.of(session) if session else ():
            if step := train.at(call.now_s):
                current = self._games.train_event(channel, train, step)
                current |= {
                    "broadcaster_user_id": channel.user_id,
                    "broadcaster_user_login": channel.login,
                    "broadcaster_user_name": channel.display_name,
                }
                del current["is_shared_train"]
        return {"data": [{"current": current, "all_time_high": best, "shared_all_time_high": None}]}

    async def _polls(self, call: Call) -> dict[str, object]:
        channel = self._own_channel(call, "channel:read:polls", "channel:manage:polls")
        ids, now = call.all("id", 20), call.now_s
        found = [
            _poll(channel, poll, now)
            for session in self._recent(channel, now)
            for poll in reversed(self._games.polls(session))
            if poll.started_s <= now and (not ids or poll.poll_id in ids)
        ]
        page, pagination = call.page(found, call.first(20, 20))
        return {"data": page, "pagination": pagination}

    async def _predictions(self, call: Call) -> dict[str, object]:
        channel = self._own_channel(call, "channel:read:predictions", "channel:manage:predictions")
        ids, now = call.all("id", 25), call.now_s
        found = [
            self._prediction(channel, item, now)
            for session in self._recent(channel, now)
            for item in reversed(self._games.predictions(session))
            if item.started_s <= now and (not ids or item.prediction_id in ids)
        ]
        page, pagination = call.page(found, call.first(20, 25))
        return {"data": page, "pagination": pagination}

    def _prediction(self, channel: Channel, item: Prediction, now: float) -> Payload:
        share = min(1.0, (now - item.started_s) / (item.locks_s - item.started_s))
        is_ended = now >= item.ended_s
        outcomes = self._games.outcomes(item, share, is_ended=is_ended)
        for outcome in outcomes:
            outcome["color"] = outcome["color"].upper()
        return _owner(channel) | {
            "id": item.prediction_id,
            "title": item.title,
            "winning_outcome_id": item.outcomes[item.winner][0] if is_ended else None,
            "outcomes": outcomes,
            "prediction_window": int(item.locks_s - item.started_s),
            "status": "RESOLVED" if is_ended else "LOCKED" if now >= item.locks_s else "ACTIVE",
            "created_at": nanos(item.started_s, 171),
            "ended_at": nanos(item.ended_s, 171) if is_ended else None,
            "locked_at": nanos(item.locks_s, 171) if now >= item.locks_s else None,
        }

    async def _goals(self, call: Call) -> dict[str, object]:
        channel = self._own_channel(call, "channel:read:goals")
        session = self._world.schedule.session_at(channel.index, call.now_s)
        told = self._games.goal_events(channel, session) if session else []
        seen = [item.event for item in told if item.at_s <= call.now_s]
        if not seen or "is_achieved" in seen[-1]:
            return {"data": []}
        event = seen[-1]
        goal = {name: event[name] for name in ("id", "description", "current_amount", "target_amount")}
        started = {"type": "follower", "created_at": event["started_at"][:19] + "Z"}
        return {"data": [_owner(channel) | goal | started]}

    async def _search_categories(self, call: Call) -> dict[str, object]:
        words = call.one("query").lower()
        found = [catalogue.game(game) for name, game in GAMES.items() if words in name.lower()]
        page, pagination = call.page(found, call.first(20, 100))
        for item in page:
            item["box_art_url"] = str(item["box_art_url"]).replace("{width}x{height}", "52x72")
            del item["igdb_id"]
        return {"data": page, "pagination": pagination}

    async def _search_channels(self, call: Call) -> dict[str, object]:
        words = call.one("query").lower()
        only_live = call.request.query.get("live_only") == "true"
        found = []
        for channel in self._world.channels:
            state = self._world.stream_at(channel.login, call.now_s) if words in channel.login else None
            if words in channel.login and (state or not only_live):
                game = state.game if state else channel.community.games[0]
                found.append(
                    {
                        "broadcaster_language": channel.language,
                        "broadcaster_login": channel.login,
                        "display_name": channel.display_name,
                        "game_id": game.game_id,
                        "game_name": game.name,
                        "id": channel.user_id,
                        "is_live": state is not None,
                        "tag_ids": [],
                        "tags": [catalogue.LANGUAGE_NAMES[channel.language]],
                        "thumbnail_url": f"https://static-cdn.jtvnw.net/sandbox-{channel.user_id}-300x300.png",
                        "title": state.title if state else channel.title.format(n=1),
                        "started_at": rfc3339(state.started_s) if state else "",
                    }
                )
        page, pagination = call.page(found, call.first(20, 100))
        return {"data": page, "pagination": pagination}


def _owner(channel: Channel) -> Payload:
    return {
        "broadcaster_id": channel.user_id,
        "broadcaster_name": channel.display_name,
        "broadcaster_login": channel.login,
    }


def _poll(channel: Channel, poll: Poll, now: float) -> Payload:
    choices = [
        {"id": i, "title": title, "votes": votes, "channel_points_votes": votes // 9, "bits_votes": 0}
        for (i, title, _), votes in zip(poll.choices, poll.votes_at(now), strict=True)
    ]
    told = _owner(channel) | {
        "id": poll.poll_id,
        "title": poll.title,
        "choices": choices,
        "bits_voting_enabled": False,
        "bits_per_vote": 0,
        "channel_points_voting_enabled": True,
        "channel_points_per_vote": 100,
        "status": "COMPLETED" if now >= poll.ended_s else "ACTIVE",
        "duration": int(poll.ended_s - poll.started_s),
        "started_at": nanos(poll.started_s, 107),
    }
    return told | ({"ended_at": nanos(poll.ended_s, 107)} if now >= poll.ended_s else {})
