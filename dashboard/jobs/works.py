"""Which function does which job. Imported with the worker; what a job needs is imported when it runs."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.jobs.context import JobContext
from dashboard.jobs.runner import Work


async def _subscribers(context: JobContext) -> str:
    from dashboard.jobs.audience import subscribers

    return await subscribers(context)


async def _followers(context: JobContext) -> str:
    from dashboard.jobs.audience import followers

    return await followers(context)


async def _chatters(context: JobContext) -> str:
    from dashboard.jobs.capture import chatters

    return await chatters(context)


async def _capture(context: JobContext) -> str:
    from dashboard.jobs.capture import capture

    return await capture(context)


async def _clips(context: JobContext) -> str:
    from dashboard.jobs.platform import clips

    return await clips(context)


async def _survey(context: JobContext) -> str:
    from dashboard.jobs.platform import survey

    return await survey(context)


async def _tokens(context: JobContext) -> str:
    from dashboard.jobs.platform import logins

    return await logins(context)


def _report(context: JobContext) -> str:
    from dashboard.jobs.reports import daily_reports

    return daily_reports(context)


def _channel_days(context: JobContext) -> str:
    from dashboard.jobs.days import channel_days

    return channel_days(context)


def _communities(context: JobContext) -> str:
    from dashboard.jobs.communities import communities

    return communities(context)


def _sync(context: JobContext) -> str:
    from dashboard.jobs.remote import sync

    return sync(context)


def _export(context: JobContext) -> str:
    from dashboard.jobs.remote import export

    return export(context)


def works() -> Mapping[str, Work]:
    """What to do for each job that a worker does, by the job's name."""
    return {
        "subscribers": _subscribers,
        "followers": _followers,
        "chatters": _chatters,
        "capture": _capture,
        "clips": _clips,
        "survey": _survey,
        "tokens": _tokens,
        "report": _report,
        "channel_days": _channel_days,
        "communities": _communities,
        "sync": _sync,
        "export": _export,
    }
