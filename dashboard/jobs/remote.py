"""Jobs about S3: the copy of the lake, the daily exports. boto3 is imported only when they run."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from dashboard.errors import LockedError
from dashboard.jobs.context import JobContext
from dashboard.jobs.times import local_day


def sync(context: JobContext) -> str:
    """Brings the copy on S3 up to date."""
    from dashboard.storage.sync import sync_once

    def on_progress(done_bytes: int, total_bytes: int, text: str) -> None:
        context.handle.progress(done_bytes, total_bytes, text)

    try:
        summary = sync_once(context.settings, on_progress=on_progress, is_cancelled=context.is_cancelled)
    except LockedError:
        return "Another process is at it (python app.py sync)"
    if not summary.uploaded_count and not summary.deleted_count:
        return "Nothing new"
    mb = summary.uploaded_bytes / 1e6
    return f"{summary.uploaded_count} objects, {mb:.1f} MB sent in {summary.took_s:.1f} s"


def export(context: JobContext) -> str:
    """Writes the consolidated CSV and JSON of yesterday."""
    from dashboard.storage.exports import export_day

    day = context.params.get("day") or str(local_day(context.now(), ZoneInfo("UTC")) - timedelta(days=1))
    return str(export_day(context, day))
