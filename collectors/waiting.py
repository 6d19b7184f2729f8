"""Small helpers for works that run side by side."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable
from typing import Any


async def cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels tasks and waits until they have ended; what they raise is dropped."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def run_until(event: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Runs a work until it ends or the event is set, which cancels it.

    Raises:
        Exception: What the work raised.
    """
    task = asyncio.create_task(work)
    stop = asyncio.create_task(event.wait())
    try:
        await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        await cancelled((task, stop))


async def wait_at_most(event: asyncio.Event, timeout_s: float | None) -> None:
    """Waits for the event, but not longer than so long (``None``: as long as it takes)."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
