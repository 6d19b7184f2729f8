"""Jobs about S3: the copy of the lake, the daily exports. boto3 is imported only when they run."""

from __future__ import annotations

from dashboard.errors import LockedError
from dashboard.jobs.context import JobContext


def sync(context: JobContext) -> str:
    """Brings the copy on S3 up to date."""
    from dashboard.storage.sync import sync_once

    try:
        summary = sync_once(
            context.settings, on_progress=context.handle.progress, is_cancelled=context.is_cancelled
        )
    except LockedError:
        return "Another process is at it (python app.py sync)"
    if not summary.uploaded_count and not summary.deleted_count:
        return "Nothing new"
    mb = summary.uploaded_bytes / 1e6
    return f"{summary.uploaded_count} objects, {mb:.1f} MB sent in {summary.took_s:.1f} s"


def export(context: JobContext) -> str:
    """Writes CSV and JSON of the days that are over and not exported yet; ``day`` writes one anew."""
    from dashboard.storage.exports import export_day, export_due

    if day := context.params.get("day"):
        summary = export_day(
            context.settings,
            str(day),
            on_progress=context.handle.progress,
            is_cancelled=context.is_cancelled,
        )
    else:
        summary = export_due(
            context.settings, on_progress=context.handle.progress, is_cancelled=context.is_cancelled
        )
    return str(summary)
