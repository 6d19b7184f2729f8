"""What chat lines mean to a channel's owner and moderators: subs, bits, points, bans, suspicion.

Source: https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/
"""

from __future__ import annotations

from dashboard.sandbox import chance
from dashboard.sandbox.eventsub_chat import ChatTeller, is_mirrored, text_of, tier
from dashboard.sandbox.eventsub_messages import Payload, Told
from dashboard.sandbox.eventsub_text import emote_places, plain, who
from dashboard.sandbox.eventsub_types import BROADCASTER
from dashboard.sandbox.nanos import nanos
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.users import CHANNEL_BASE, User
from dashboard.sandbox.wire import Line
from dashboard.sandbox.world import World

SUBSCRIBE, GIFT = "channel.subscribe", "channel.subscription.gift"
RESUB, CHEER, BITS = "channel.subscription.message", "channel.cheer", "channel.bits.use"
BAN, MODERATE = "channel.ban", "channel.moderate"
SUSPICIOUS = "channel.suspicious_user.message"
REDEMPTION = "channel.channel_points_custom_reward_redemption.add"
AUTOMATIC = "channel.channel_points_automatic_reward_redemption.add"
NAMES = frozenset({SUBSCRIBE, GIFT, RESUB, CHEER, BITS, BAN, MODERATE, SUSPICIOUS, REDEMPTION, AUTOMATIC})

SUSPICIOUS_SHARE = 0.004
_ACTIONS = (
    *("followers", "slow", "vip", "unvip", "warn", "mod", "unmod", "ban", "unban", "timeout", "untimeout"),
    *("raid", "unraid", "delete", "automod_terms", "unban_request", "shared_chat_ban", "shared_chat_unban"),
    *("shared_chat_timeout", "shared_chat_untimeout", "shared_chat_delete"),
)


def moderation(channel: Channel, moderator: User, action: str, details: Payload | None = None) -> Payload:
    """An event of ``channel.moderate`` (version 2)."""
    field = action if action in _ACTIONS else ""
    return (
        who("broadcaster_user", channel)
        | who("source_broadcaster_user", None)
        | who("moderator_user", moderator)
        | {"action": action}
        | {name: details if name == field else None for name in _ACTIONS}
    )


def moderate_told(at_s: float, channel: Channel, event: Payload, key: str) -> list[Told]:
    """The same act in both versions of ``channel.moderate``: warnings are in the second only."""
    subject = f"{BROADCASTER}:{channel.user_id}"
    first = {name: value for name, value in event.items() if name != "warn"}
    return [
        Told(at_s, MODERATE, subject, first, f"{key} 1", "1"),
        Told(at_s, MODERATE, subject, event, f"{key} 2", "2"),
    ]


class LineTeller:
    """Tells what lines mean.

    Args:
        world: To find people and channels.
        chat: Words texts.
    """

    def __init__(self, world: World, chat: ChatTeller) -> None:
        self._world, self._chat = world, chat

    def moderator(self, channel: Channel, key: object) -> User:
        """Who of the owner and the channel's bot did something."""
        bots = self._world.audience.service_bots(channel.index)
        by_bot = bots and chance.unit(self._world.seed, "moderator", channel.index, key) < 0.6
        return self._world.population.user(bots[0] if by_bot else CHANNEL_BASE + channel.index)

    def tell(self, channel: Channel, line: Line, names: frozenset[str]) -> list[Told]:
        """What a line means, as far as its types are among the wanted names."""
        if is_mirrored(line, channel):
            return []
        found: list[Told] = []
        if line.command == "PRIVMSG":
            found = self._message(channel, line, names)
        elif line.command == "USERNOTICE":
            found = self._notice(channel, line)
        elif line.command == "CLEARCHAT":
            found = self._clear(channel, line)
        elif line.command == "CLEARMSG":
            target = self._world.population.by_login(line.tags["login"])
            details = who("user", target) | {
                "message_id": line.tags["target-msg-id"],
                "message_body": text_of(line),
            }
            found = self._act(channel, line.at_s, "delete", details)
        elif line.command == "ROOMSTATE":
            found = self._mode(channel, line)
        return [told for told in found if told.name in names]

    def _told(self, name: str, channel: Channel, line: Line, event: Payload, key: str = "") -> Told:
        key = f"{name} {line.tags.get('id', line.at_s)} {key}"
        return Told(line.at_s, name, f"{BROADCASTER}:{channel.user_id}", event, key)

    # -- subs --------------------------------------------------------------------------------

    def _notice(self, channel: Channel, line: Line) -> list[Told]:
        tags, kind = line.tags, line.tags.get("source-msg-id") or line.tags["msg-id"]
        plan = tier(tags.get("msg-param-sub-plan", "1000"))
        here = who("broadcaster_user", channel)
        giver = None if tags["login"] == "ananonymousgifter" else self._chat.author(line)
        if kind == "sub":
            event = who("user", giver) | here | {"tier": plan, "is_gift": False}
            return [self._told(SUBSCRIBE, channel, line, event)]
        if kind == "resub":
            return [self._told(RESUB, channel, line, self._resub(channel, line, plan))]
        found = []
        is_single = kind == "subgift" and "msg-param-community-gift-id" not in tags
        if kind == "submysterygift" or is_single:
            total = tags.get("msg-param-sender-count", "")
            event = (
                who("user", giver)
                | here
                | {
                    "total": int(tags.get("msg-param-mass-gift-count", "1")),
                    "tier": plan,
                    "cumulative_total": int(total) if total and giver else None,
                    "is_anonymous": giver is None,
                }
            )
            found.append(self._told(GIFT, channel, line, event))
        if kind == "subgift":
            recipient = self._world.population.by_id(tags["msg-param-recipient-id"])
            event = who("user", recipient) | here | {"tier": plan, "is_gift": True}
            found.append(self._told(SUBSCRIBE, channel, line, event))
        return found

    def _resub(self, channel: Channel, line: Line, plan: str) -> Payload:
        tags = line.tags
        streak = tags.get("msg-param-streak-months")
        places = emote_places(tags.get("emotes", ""))
        emotes = [{"begin": first, "end": last, "id": emote_id} for first, last, emote_id in places]
        return (
            who("user", self._chat.author(line))
            | who("broadcaster_user", channel)
            | {
                "tier": plan,
                "message": {"text": text_of(line), "emotes": emotes or None},
                "cumulative_months": int(tags["msg-param-cumulative-months"]),
                "streak_months": int(streak) if streak else None,
                "duration_months": int(tags["msg-param-multimonth-duration"]),
            }
        )

    # -- messages ----------------------------------------------------------------------------

    def _message(self, channel: Channel, line: Line, names: frozenset[str]) -> list[Told]:
        tags, found = line.tags, []
        if "bits" in tags:
            found += self._cheer(channel, line)
        if "custom-reward-id" in tags:
            found.append(self._redemption(channel, line))
        if tags.get("msg-id") == "highlighted-message":
            found += self._highlight(channel, line)
        if SUSPICIOUS in names and self.is_suspicious(channel, line.user):
            found.append(self._told(SUSPICIOUS, channel, line, self._suspicion(channel, line)))
        return found

    def _cheer(self, channel: Channel, line: Line) -> list[Told]:
        common = who("user", self._chat.author(line)) | who("broadcaster_user", channel)
        common["bits"] = int(line.tags["bits"])
        cheer = common | {"is_anonymous": False, "message": plain(text_of(line))}
        use = common | {"type": "cheer", "power_up": None, "message": self._short_body(channel, line)}
        return [self._told(CHEER, channel, line, cheer), self._told(BITS, channel, line, use)]

    def _short_body(self, channel: Channel, line: Line) -> Payload:
        """Text and fragments without mentions, which only chat itself tells."""
        body = self._chat.body(channel, line)
        cut = [{name: part[name] for name in part if name != "mention"} for part in body["fragments"]]
        for part in cut:
            part["type"] = "text" if part["type"] == "mention" else part["type"]
        return {"text": plain(body["text"]), "fragments": cut}

    def _redemption(self, channel: Channel, line: Line) -> Told:
        reward_id = line.tags["custom-reward-id"]
        event = who("broadcaster_user", channel) | who("user", self._chat.author(line))
        event |= {
            "id": chance.uuid(self._world.seed, "redemption", line.tags["id"]),
            "user_input": plain(text_of(line)),
            # A message as a reward is shown at once: nobody has to fulfil it.
            "status": "fulfilled",
            "reward": {
                "id": reward_id,
                "title": "Read this out",
                "cost": 500,
                "prompt": "Your message is read out on stream",
            },
            "redeemed_at": nanos(line.at_s, 107),
        }
        told = self._told(REDEMPTION, channel, line, event)
        told.reward_id = reward_id
        return told

    def _highlight(self, channel: Channel, line: Line) -> list[Told]:
        """A highlighted message in both versions of the automatic rewards."""
        text, places = plain(text_of(line)), emote_places(line.tags.get("emotes", ""))
        common = who("broadcaster_user", channel) | who("user", self._chat.author(line))
        common |= {
            "id": chance.uuid(self._world.seed, "highlight", line.tags["id"]),
            "redeemed_at": nanos(line.at_s, 398),
        }
        kind = "send_highlighted_message"
        emotes = [{"id": emote_id, "begin": first, "end": last} for first, last, emote_id in places]
        first = common | {
            "reward": {"type": kind, "cost": 200, "unlocked_emote": None},
            "message": {"text": text, "emotes": emotes},
            "user_input": text,
        }
        cut = [
            {
                "type": part["type"],
                "text": part["text"],
                "emote": {"id": part["emote"]["id"]} if part["emote"] else None,
            }
            for part in self._short_body(channel, line)["fragments"]
        ]
        second = common | {
            "reward": {"type": kind, "channel_points": 200, "emote": None},
            "message": {"text": text, "fragments": cut},
        }
        told = [self._told(AUTOMATIC, channel, line, first, "1")]
        told.append(self._told(AUTOMATIC, channel, line, second, "2"))
        told[1].version = "2"
        return told

    # -- moderation --------------------------------------------------------------------------

    def is_suspicious(self, channel: Channel, person: int | None) -> bool:
        """Whether Twitch's own detection has marked somebody in this channel."""
        seed = self._world.seed
        return (
            person is not None and chance.unit(seed, "suspicious", channel.index, person) < SUSPICIOUS_SHARE
        )

    def _suspicion(self, channel: Channel, line: Line) -> Payload:
        roll = chance.unit(self._world.seed, "suspicion", channel.index, line.user)
        body: Payload = {"message_id": line.tags["id"]} | self._short_body(channel, line)
        for part in body["fragments"]:
            if part["emote"]:
                part["emote"] = {name: part["emote"][name] for name in ("id", "emote_set_id")}
        return (
            who("broadcaster_user", channel)
            | who("user", self._chat.author(line))
            | {
                "low_trust_status": "active_monitoring" if roll < 0.7 else "restricted",
                "shared_ban_channel_ids": None,
                "types": ["ban_evader"] if roll < 0.8 else ["manually_added"],
                "ban_evasion_evaluation": "likely" if roll < 0.4 else "possible" if roll < 0.8 else "unknown",
                "message": body,
            }
        )

    def _act(self, channel: Channel, at_s: float, action: str, details: Payload | None = None) -> list[Told]:
        event = moderation(channel, self.moderator(channel, at_s), action, details)
        return moderate_told(at_s, channel, event, f"{action} {channel.user_id} {at_s}")

    def _clear(self, channel: Channel, line: Line) -> list[Told]:
        target_id = line.tags.get("target-user-id")
        if not target_id:
            return self._act(channel, line.at_s, "clear")
        target = self._world.population.by_id(target_id)
        seconds = line.tags.get("ban-duration")
        ends_at = nanos(line.at_s + int(seconds), 171) if seconds else None
        reason = "Mind your words" if seconds else "Spam"
        ban = who("user", target) | who("broadcaster_user", channel)
        ban |= who("moderator_user", self.moderator(channel, line.at_s))
        ban |= {
            "reason": reason,
            "banned_at": nanos(line.at_s, 171),
            "ends_at": ends_at,
            "is_permanent": not seconds,
        }
        details = who("user", target) | {"reason": reason}
        if ends_at:
            details["expires_at"] = ends_at
        return [
            self._told(BAN, channel, line, ban),
            *self._act(channel, line.at_s, "timeout" if seconds else "ban", details),
        ]

    def _mode(self, channel: Channel, line: Line) -> list[Told]:
        found: list[Told] = []
        for tag, value in line.tags.items():
            if tag == "slow":
                wait = {"wait_time_seconds": int(value)} if value != "0" else None
                found += self._act(channel, line.at_s, "slow" if wait else "slowoff", wait)
            elif tag == "followers-only":
                minutes = {"follow_duration_minutes": int(value)} if value != "-1" else None
                found += self._act(channel, line.at_s, "followers" if minutes else "followersoff", minutes)
            elif tag == "emote-only":
                found += self._act(channel, line.at_s, "emoteonly" if value == "1" else "emoteonlyoff")
        return found
