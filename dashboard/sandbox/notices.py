"""Everything in chat that is not talk: USERNOTICEs, moderation, room modes."""

from __future__ import annotations

from dashboard.sandbox import chance, phrases
from dashboard.sandbox.minute import Minute
from dashboard.sandbox.pen import Pen
from dashboard.sandbox.plan import Happening
from dashboard.sandbox.schedule import Raid
from dashboard.sandbox.users import User
from dashboard.sandbox.wire import Line, emotes_tag

_ANONYMOUS = {"login": "ananonymousgifter", "display-name": "AnAnonymousGifter", "user-id": "274598607"}
_TIER_WORDS = {"Prime": "with Prime", "1000": "at Tier 1", "2000": "at Tier 2", "3000": "at Tier 3"}
_MODE_NOTICES = {
    "slow": (
        "slow_on",
        "This room is now in slow mode. You may send messages every {n} seconds.",
        "slow_off",
    ),
    "followers-only": (
        "followers_on",
        "This room is now in {n} minutes followers-only mode.",
        "followers_off",
    ),
    "emote-only": ("emote_only_on", "This room is now in emote-only mode.", "emote_only_off"),
}
_MODE_OFF = {
    "slow": "This room is no longer in slow mode.",
    "followers-only": "This room is no longer in followers-only mode.",
    "emote-only": "This room is no longer in emote-only mode.",
}


class Notices:
    """Writes planned happenings into a minute."""

    def __init__(self, seed: int, pen: Pen) -> None:
        self._seed = seed
        self._pen = pen

    def write(self, minute: Minute, happening: Happening) -> None:
        """Writes one planned happening."""
        getattr(self, f"_{happening.kind}")(minute, happening)

    def _notice(
        self,
        minute: Minute,
        at: float,
        msg_id: str,
        user: User | None,
        system: str,
        params: dict[str, object],
        text: str = "",
    ) -> Line:
        if user is None:
            tags = self._pen.user_tags(minute, self._pen.owner(minute.channel), at) | _ANONYMOUS
            tags |= {
                "badges": "",
                "badge-info": "",
                "color": "",
                "mod": "0",
                "subscriber": "0",
                "user-type": "",
            }
        else:
            tags = self._pen.user_tags(minute, user, at) | {"login": user.login}
            text = self._pen.fill(minute, text, user, at)
            tags["emotes"] = emotes_tag(text, self._pen.emotes(minute, user, at))
        tags |= {"msg-id": msg_id, "system-msg": system}
        tags |= {f"msg-param-{key}": str(value) for key, value in params.items()}
        rest = f":tmi.twitch.tv USERNOTICE #{minute.channel.login}" + (f" :{text}" if text else "")
        line = Line(at, "USERNOTICE", tags, rest, user.index if user else None)
        minute.written.append(line)
        return line

    def _person(self, index: int | None) -> User:
        assert index is not None
        return self._pen.population.user(index)

    def _plan_name(self, minute: Minute, tier: str) -> str:
        extra = {"2000": ": Tier 2", "3000": ": Tier 3"}.get(tier, "")
        return f"Channel Subscription ({minute.channel.login}){extra}"

    # -- subs and gifts ----------------------------------------------------------------------

    def _sub(self, minute: Minute, happening: Happening) -> None:
        user = self._person(happening.user)
        self._notice(
            minute,
            happening.at_s,
            "sub",
            user,
            f"{user.display_name} subscribed {_TIER_WORDS[happening.tier]}.",
            {
                "cumulative-months": 1,
                "months": 0,
                "multimonth-duration": 1,
                "multimonth-tenure": 0,
                "should-share-streak": 0,
                "sub-plan": happening.tier,
                "sub-plan-name": self._plan_name(minute, happening.tier),
                "was-gifted": "false",
            },
        )

    def _resub(self, minute: Minute, happening: Happening) -> None:
        user, random = self._person(happening.user), minute.random
        tags = self._pen.user_tags(minute, user, happening.at_s)
        months = int(tags["badge-info"].partition("/")[2] or 0)
        if months < 2:
            self._sub(minute, happening)
            return
        shares = random.random() < 0.5
        streak = random.randint(1, months)
        system = f"{user.display_name} subscribed {_TIER_WORDS[happening.tier]}. "
        system += f"They've subscribed for {months} months"
        system += f", currently on a {streak} month streak!" if shares else "!"
        params: dict[str, object] = {
            "cumulative-months": months,
            "months": 0,
            "multimonth-duration": 1,
            "multimonth-tenure": 0,
            "should-share-streak": int(shares),
            "sub-plan": happening.tier,
            "sub-plan-name": self._plan_name(minute, happening.tier),
            "was-gifted": "false",
        }
        if shares:
            params["streak-months"] = streak
        self._notice(minute, happening.at_s, "resub", user, system, params, random.choice(phrases.RESUBS))

    def _subgift(self, minute: Minute, happening: Happening) -> None:
        origin = str(chance.number(self._seed, "origin", minute.channel.index, happening.at_s) >> 1)
        self._gift(minute, happening, happening.at_s, happening.others[0], {"origin-id": origin}, 1)

    def _bomb(self, minute: Minute, happening: Happening) -> None:
        """The announcement of a gift bomb and, right behind it, each of its gifts with the same origin."""
        user = self._person(happening.user) if happening.user is not None else None
        origin = str(chance.number(self._seed, "origin", minute.channel.index, happening.at_s) >> 1)
        common: dict[str, object] = {"origin-id": origin, "community-gift-id": origin}
        count, tier = happening.amount, happening.tier[0]
        name = user.display_name if user else "An anonymous user"
        total = self._given_before(minute, happening) + count
        system = f"{name} is gifting {count} Tier {tier} Subs to {minute.channel.display_name}'s community!"
        params = common | {"mass-gift-count": count, "sub-plan": happening.tier}
        if user:
            system += f" They've gifted a total of {total} in the channel!"
            params["sender-count"] = total
        self._notice(minute, happening.at_s, "submysterygift", user, system, params)
        for k, other in enumerate(happening.others):
            at = minute.clamp(happening.at_s + 0.15 + k * 0.04)
            self._gift(minute, happening, at, other, common, 0)

    def _given_before(self, minute: Minute, happening: Happening) -> int:
        return 0 if happening.user is None else chance.number(self._seed, "given", happening.user) % 60

    def _gift(
        self,
        minute: Minute,
        happening: Happening,
        at: float,
        other: int,
        ids: dict[str, object],
        is_single: int,
    ) -> None:
        user = self._person(happening.user) if happening.user is not None else None
        recipient = self._person(other)
        name = user.display_name if user else "An anonymous user"
        system = f"{name} gifted a Tier {happening.tier[0]} sub to {recipient.display_name}!"
        params = ids | {
            "gift-months": 1,
            "months": 1 + chance.number(self._seed, "gift months", other) % 9,
            "recipient-display-name": recipient.display_name,
            "recipient-id": recipient.user_id,
            "recipient-user-name": recipient.login,
            "sub-plan": happening.tier,
            "sub-plan-name": self._plan_name(minute, happening.tier),
        }
        if user is None:
            system += " "
            params["fun-string"] = "FunStringThree"
        else:
            total = self._given_before(minute, happening) + 1 if is_single else 0
            params["sender-count"] = total
            if is_single:
                system += f" They have given {total} Gift Subs in the channel!"
        self._notice(minute, at, "subgift", user, system, params)

    def _giftpaidupgrade(self, minute: Minute, happening: Happening) -> None:
        user, giver = self._person(happening.user), self._person(happening.others[0])
        system = f"{user.display_name} is continuing the Gift Sub they got from {giver.display_name}!"
        params: dict[str, object] = {"sender-login": giver.login, "sender-name": giver.display_name}
        self._notice(minute, happening.at_s, "giftpaidupgrade", user, system, params)

    def _primepaidupgrade(self, minute: Minute, happening: Happening) -> None:
        user = self._person(happening.user)
        system = f"{user.display_name} converted from a Prime sub to a Tier 1 sub!"
        self._notice(minute, happening.at_s, "primepaidupgrade", user, system, {"sub-plan": "1000"})

    def _communitypayforward(self, minute: Minute, happening: Happening) -> None:
        user, giver = self._person(happening.user), self._person(happening.others[0])
        params: dict[str, object] = {
            "prior-gifter-anonymous": "false",
            "prior-gifter-display-name": giver.display_name,
            "prior-gifter-id": giver.user_id,
            "prior-gifter-user-name": giver.login,
        }
        system = f"{user.display_name} is paying forward the Gift they got from "
        system += f"{giver.display_name} to the community!"
        self._notice(minute, happening.at_s, "communitypayforward", user, system, params)

    # -- bits, streaks, announcements --------------------------------------------------------

    def _cheer(self, minute: Minute, happening: Happening) -> None:
        text = minute.random.choice(phrases.CHEERS).replace("{bits}", str(happening.amount))
        self._pen.say(
            minute, happening.at_s, self._person(happening.user), text, {"bits": str(happening.amount)}
        )

    def _bitsbadgetier(self, minute: Minute, happening: Happening) -> None:
        params: dict[str, object] = {"threshold": happening.amount}
        user = self._person(happening.user)
        self._notice(minute, happening.at_s, "bitsbadgetier", user, "bits badge tier notification", params)

    def _viewermilestone(self, minute: Minute, happening: Happening) -> None:
        user, n = self._person(happening.user), happening.amount
        system = f"{user.display_name} watched {n} consecutive streams and sparked a watch streak!"
        params: dict[str, object] = {
            "category": "watch-streak",
            "copoReward": 450 if n >= 10 else 350,
            "id": chance.uuid(self._seed, "milestone", minute.channel.index, happening.at_s),
            "value": n,
        }
        self._notice(
            minute, happening.at_s, "viewermilestone", user, system, params, minute.random.choice(("", "{e}"))
        )

    def _modiversary(self, minute: Minute, happening: Happening) -> None:
        months = 6 * (1 + happening.key % 8)
        system = f"has been a moderator for {months} months!"
        self._notice(
            minute, happening.at_s, "modiversary", self._person(happening.user), system, {"months": months}
        )

    def _announcement(self, minute: Minute, happening: Happening) -> None:
        owner = self._pen.owner(minute.channel)
        color = minute.random.choice(("PRIMARY", "BLUE", "GREEN", "ORANGE", "PURPLE"))
        text = minute.random.choice(phrases.ANNOUNCEMENTS)
        self._notice(minute, happening.at_s, "announcement", owner, "", {"color": color}, text)

    def _timer(self, minute: Minute, happening: Happening) -> None:
        if bot := self._pen.service_bot(minute.channel):
            self._pen.say(minute, happening.at_s, bot, minute.random.choice(phrases.TIMERS))

    def write_raid(self, minute: Minute, raid: Raid, party: int) -> None:
        """The notice of a raid that arrives."""
        user = self._person(raid.raider)
        system = f"{raid.viewer_count} raiders from {user.display_name} have joined!"
        picture = "https://static-cdn.jtvnw.net/user-default-pictures-uv/sandbox-profile_image-%s.png"
        params: dict[str, object] = {
            "displayName": user.display_name,
            "login": user.login,
            "profileImageURL": picture,
            "viewerCount": raid.viewer_count,
        }
        self._notice(minute, raid.at_s, "raid", user, system, params)

    # -- moderation and modes ----------------------------------------------------------------

    def _state(self, minute: Minute, at: float, command: str, tags: dict[str, str], text: str = "") -> None:
        rest = f":tmi.twitch.tv {command} #{minute.channel.login}" + (f" :{text}" if text else "")
        minute.written.append(Line(at, command, tags, rest))

    def _offence(
        self, minute: Minute, happening: Happening, texts: tuple[str, ...]
    ) -> tuple[Line, User, float]:
        """Somebody breaks the rules; the answer comes a few seconds later, within the minute."""
        user = self._person(happening.user)
        line = self._pen.say(minute, happening.at_s, user, minute.random.choice(texts))
        later = minute.clamp(happening.at_s + minute.random.uniform(1.5, 7))
        return line, user, max(later, happening.at_s + 0.001)

    def _timeout(self, minute: Minute, happening: Happening) -> None:
        line, user, at = self._offence(minute, happening, phrases.RUDE)
        line.tags["flags"] = "0-3:P.3"
        tags = {"ban-duration": str(minute.random.choice((1, 30, 300, 600, 600, 3600)))}
        self._punish(minute, user, at, tags)

    def _ban(self, minute: Minute, happening: Happening) -> None:
        _, user, at = self._offence(minute, happening, phrases.SPAM)
        self._punish(minute, user, at, {})

    def _punish(self, minute: Minute, user: User, at: float, tags: dict[str, str]) -> None:
        tags |= {
            "room-id": minute.channel.user_id,
            "target-user-id": user.user_id,
            "tmi-sent-ts": str(int(at * 1000)),
        }
        self._state(minute, at, "CLEARCHAT", tags, user.login)

    def _clear(self, minute: Minute, happening: Happening) -> None:
        """A moderator wipes the whole room."""
        at = happening.at_s
        tags = {"room-id": minute.channel.user_id, "tmi-sent-ts": str(int(at * 1000))}
        self._state(minute, at, "CLEARCHAT", tags)

    def _clearmsg(self, minute: Minute, happening: Happening) -> None:
        line, user, at = self._offence(minute, happening, phrases.RUDE)
        tags = {
            "login": user.login,
            "room-id": minute.channel.user_id,
            "target-msg-id": line.tags["id"],
            "tmi-sent-ts": str(int(at * 1000)),
        }
        self._state(minute, at, "CLEARMSG", tags, line.rest.split(" :", 1)[1])

    def write_modes(self, minute: Minute) -> None:
        """ROOMSTATE and NOTICE where a room mode begins or ends in this minute."""
        assert minute.plan is not None
        end = minute.start_s + 60
        for mode in minute.plan.modes:
            on_id, on_text, off_id = _MODE_NOTICES[mode.tag]
            off_value = "-1" if mode.tag == "followers-only" else "0"
            for at, value, msg_id, text in (
                (mode.start_s, str(mode.value), on_id, on_text.format(n=mode.value)),
                (mode.end_s, off_value, off_id, _MODE_OFF[mode.tag]),
            ):
                if minute.start_s <= at < end:
                    tags = {"room-id": minute.channel.user_id, mode.tag: value}
                    self._state(minute, at, "ROOMSTATE", tags)
                    self._state(minute, minute.clamp(at + 0.001), "NOTICE", {"msg-id": msg_id}, text)
