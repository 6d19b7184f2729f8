"""The jobs there are: what each does, when, how long it may take, what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dashboard.config import Settings
from dashboard.jobs.times import Daily, Every, Trigger

Need = Literal["credentials", "login", "s3", "survey"]


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One kind of job. ``name`` is what the command line and the runs call it."""

    name: str
    title: str
    description: str
    trigger: Trigger
    timeout_s: float
    needs: tuple[Need, ...] = ()
    scope: str = ""
    """A login with this scope has to be there (``login`` in ``needs``)."""
    is_by_hand: bool = False
    """Not started by the clock, with these settings."""
    has_queue: bool = False
    """Orders wait in a list of their own; it is started while some do, also after a crash."""
    keep_count: int = 300
    """So many good runs and so many bad ones are remembered."""
    done_by: Literal["worker", "collector", "upkeep"] = "worker"
    """``collector`` and ``upkeep`` run by themselves; they are shown but neither started nor cancelled."""

    @property
    def rhythm(self) -> str:
        """When it runs, in words."""
        return "when asked for" if self.is_by_hand else self.trigger.words

    @property
    def is_startable(self) -> bool:
        """Whether it can be started by a person."""
        return self.done_by == "worker"


def job_specs(settings: Settings) -> dict[str, JobSpec]:
    """Every job by name, in the order shown.

    Args:
        settings: Time zones of the channels decide when their days end.

    Returns:
        Specs; also of jobs that can't run with these settings.
    """
    zone = settings.time_zone
    zones = tuple(dict.fromkeys((zone, *settings.channel_time_zones.values())))
    specs = (
        JobSpec(
            "stream_status",
            "Stream status",
            "Who of the followed channels is live, with how many viewers. The collector does it by itself.",
            Every(60),
            60,
            ("credentials",),
            done_by="collector",
        ),
        JobSpec(
            "chatters",
            "Chatters",
            "Everybody connected to the chats that the logged-in people own or moderate, and the ages of "
            "their accounts.",
            Every(300),
            280,
            ("credentials", "login"),
            "moderator:read:chatters",
        ),
        JobSpec(
            "capture",
            "Captures",
            "The captures that people asked for on the Chatters page: who is in a chat, the ages of the "
            "accounts, and names that changed.",
            Every(300),
            3600,
            ("credentials",),
            is_by_hand=True,
            has_queue=True,
        ),
        JobSpec(
            "followers",
            "Followers",
            "New followers and the total of each channel. Without the scope only the total is told.",
            Every(900),
            850,
            ("credentials",),
        ),
        JobSpec(
            "subscribers",
            "Subscribers",
            "Everybody subscribed to the logged-in people's own channels, the total and the points.",
            Every(900),
            850,
            ("credentials", "login"),
            "channel:read:subscriptions",
        ),
        JobSpec(
            "tokens",
            "Logins",
            "Asks Twitch whether every stored login still holds, and which channels each person moderates.",
            Every(3600),
            600,
            ("credentials",),
        ),
        JobSpec(
            "survey",
            "Survey",
            "Reads the chats of the largest live channels of all, some minutes each, once a day a channel.",
            Every(3600),
            3500,
            ("credentials", "survey"),
        ),
        JobSpec(
            "clips",
            "Top clips",
            "Clips of the followed channels with their views, of the last 30 days.",
            Daily(4, 0, (zone,)),
            3600,
            ("credentials",),
        ),
        JobSpec(
            "report",
            "Daily report",
            "A report a channel of the day that has just ended in its time zone, to read and to keep.",
            Daily(0, 5, zones),
            1800,
        ),
        JobSpec(
            "channel_days",
            "Analysis",
            "Aggregates of each channel and day; days that got new events are computed anew.",
            Daily(0, 35, zones),
            3600,
        ),
        JobSpec(
            "communities",
            "Community map",
            "Who shares chatters with whom: communities, their names, a map; in files too.",
            Every(86_400),
            7200,
        ),
        JobSpec(
            "sync",
            "Copy to S3",
            "Puts what is new onto S3.",
            Every(30),
            900,
            ("s3",),
            keep_count=50,
        ),
        JobSpec(
            "export",
            "Daily export",
            "CSV and JSON of the days that are over, a file a channel and kind. The S3 copy has them too.",
            Daily(1, 5, (zone,)),
            3600,
            # Text takes many times the room of the lake: without a bucket only who wants it gets it.
            is_by_hand=not settings.s3_bucket,
        ),
        JobSpec(
            "compaction",
            "Compaction",
            "Merges small files of the lake, so that questions stay fast.",
            Every(5),
            600,
            done_by="upkeep",
        ),
        JobSpec(
            "retention",
            "Retention",
            "Removes what is older than RETENTION_DAYS says.",
            Every(3600),
            600,
            done_by="upkeep",
        ),
    )
    return {spec.name: spec for spec in specs}
