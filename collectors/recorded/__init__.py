"""Import of recordings: chat that others recorded becomes the same events as chat seen live."""

from __future__ import annotations

from collectors.recorded.detect import open_recording
from collectors.recorded.importer import FileSummary, ImportSummary, import_files
from collectors.recorded.recording import Recording

__all__ = ["FileSummary", "ImportSummary", "Recording", "import_files", "open_recording"]
