"""Helix: streams, categories, channels, videos."""

from __future__ import annotations

from dashboard.sandbox import catalogue
from dashboard.sandbox.helix_answers import Answers
from dashboard.sandbox.helix_call import Call, Handler, HelixError, rfc3339
from dashboard.sandbox.scene import GAMES


class PlatformHelix(Answers):
    """What is on."""

    def handlers(self) -> dict[str, Handler]:
        """By method and path."""
        return {
            "GET streams": self._streams,
            "GET games": self._games,
            "GET games/top": self._top_games,
            "GET channels": self._channels,
        }

    async def _streams(self, call: Call) -> dict[str, object]:
        ids, logins = set(call.all("user_id")), {login.lower() for login in call.all("user_login")}
        games, languages = set(call.all("game_id")), set(call.all("language"))
        kind = call.request.query.get("type", "all")
        items: list[dict[str, object]] = []
        for state in self._world.live_at(call.now_s) if kind in ("all", "live") else []:
            channel = state.channel
            if (ids or logins) and channel.user_id not in ids and channel.login not in logins:
                continue
            if (games and state.game.game_id not in games) or (languages and state.language not in languages):
                continue
            items.append(
                {
                    "id": state.stream_id,
                    "user_id": channel.user_id,
                    "user_login": channel.login,
                    "user_name": channel.display_name,
                    "game_id": state.game.game_id,
                    "game_name": state.game.name,
                    "type": "live",
                    "title": state.title,
                    "tags": [catalogue.LANGUAGE_NAMES[state.language]],
                    "viewer_count": state.viewer_count,
                    "started_at": rfc3339(state.started_s),
                    "language": state.language,
                    "thumbnail_url": "https://static-cdn.jtvnw.net/previews-ttv/live_user_"
                    f"{channel.login}-{{width}}x{{height}}.jpg",
                    "tag_ids": [],
                    "is_mature": False,
                }
            )
        page, pagination = call.page(items, call.first(20, 100))
        return {"data": page, "pagination": pagination}

    async def _games(self, call: Call) -> dict[str, object]:
        ids, names, igdb = call.all("id"), {n.lower() for n in call.all("name")}, call.all("igdb_id")
        if not ids and not names and not igdb:
            raise HelixError(400, 'Missing required parameter "id", "name" or "igdb_id"')
        return {
            "data": [
                catalogue.game(game)
                for game in GAMES.values()
                if game.game_id in ids
                or game.name.lower() in names
                or (game.igdb_id and game.igdb_id in igdb)
            ]
        }

    async def _top_games(self, call: Call) -> dict[str, object]:
        viewers: dict[str, int] = {}
        for state in self._world.live_at(call.now_s):
            viewers[state.game.name] = viewers.get(state.game.name, 0) + state.viewer_count
        ranked = sorted(viewers, key=lambda name: -viewers[name])
        page, pagination = call.page([catalogue.game(GAMES[name]) for name in ranked], call.first(20, 100))
        return {"data": page, "pagination": pagination}

    async def _channels(self, call: Call) -> dict[str, object]:
        ids = call.all("broadcaster_id")
        if not ids:
            raise HelixError(400, 'The parameter "broadcaster_id" is missing')
        data = []
        for channel in filter(None, map(self._world.channel_by_id, ids)):
            state = self._world.stream_at(channel.login, call.now_s)
            game = state.game if state else channel.community.games[0]
            data.append(
                {
                    "broadcaster_id": channel.user_id,
                    "broadcaster_login": channel.login,
                    "broadcaster_name": channel.display_name,
                    "broadcaster_language": channel.language,
                    "game_id": game.game_id,
                    "game_name": game.name,
                    "title": state.title if state else channel.title.format(n=1),
                    "delay": 0,
                    "tags": [catalogue.LANGUAGE_NAMES[channel.language]],
                    "content_classification_labels": [],
                    "is_branded_content": False,
                }
            )
        return {"data": data}
