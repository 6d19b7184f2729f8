"""Whole seconds, minutes and bins on the time line of instants (µs since the epoch)."""

from __future__ import annotations

from typing import Final

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US
BIN_US: Final = 10 * SECOND_US
BINS_PER_MINUTE: Final = MINUTE_US // BIN_US


def floor_to(at: int, width_us: int) -> int:
    """The start of the bin that an instant falls into (bins are counted from the epoch)."""
    return at - at % width_us


def ceil_to(at: int, width_us: int) -> int:
    """The first start of a bin at or after an instant."""
    return -(-at // width_us) * width_us


def merge_spans(spans: list[tuple[int, int]], *, slack_us: int = 0, limit: int = 0) -> list[tuple[int, int]]:
    """Joins stretches of time that touch, overlap or lie close together.

    Args:
        spans: First and last instant of each, in any order.
        slack_us: Stretches with at most this much between them become one.
        limit: With more stretches than this left, all of them become one; 0 is no limit.

    Returns:
        Stretches that do not touch, oldest first.
    """
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start - merged[-1][1] <= slack_us:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    if limit and len(merged) > limit:
        return [(merged[0][0], max(end for _, end in merged))]
    return merged
