"""Everything that StreamLens raises on purpose.

    StreamLensError
    ├── ConfigError            a setting is missing or wrong (names it, its problem, its cure)
    ├── StorageError
    │   ├── LockedError        another process already writes to this folder
    │   ├── DiskFullError      no room left; what is in the journal is safe
    │   └── QueryError
    │       ├── QueryTimeout   the query passed its time limit
    │       └── QueryRefused   not a single read-only SELECT
    ├── RecordingError         a file to import can't be read as any known format
    ├── ParseError             one line is broken (kept in the reject file, never fatal)
    ├── AccessDenied           the person who asks may not see or do this
    ├── JobError
    │   ├── JobBusy            the job is running already
    │   └── JobCancelled       somebody asked it to stop
    ├── RemoteStorageError     S3 did not take or give something; nothing local is lost
    └── TwitchError
        ├── TwitchUnavailable  no answer, or a 5xx after the one retry
        ├── TwitchUnauthorized the credentials were refused
        └── TwitchRefused      any other 4xx (names the call and Twitch's own message)

Messages are written for the person at the screen: what failed, what is safe, what to do.
"""


class StreamLensError(Exception):
    """The root: catching it catches every error that the project raises on purpose."""


class ConfigError(StreamLensError):
    """A setting is missing or wrong."""


class StorageError(StreamLensError):
    """The lake, the journal or the catalogue could not do what was asked."""


class LockedError(StorageError):
    """Another process already writes to this folder."""


class DiskFullError(StorageError):
    """The disk has no room left; everything acknowledged so far is safe in the journal."""


class QueryError(StorageError):
    """A query failed; the message is DuckDB's own, without paths."""


class QueryTimeout(QueryError):
    """A query passed its time limit and was stopped."""


class QueryRefused(QueryError):
    """The text was not a single read-only query."""


class RecordingError(StreamLensError):
    """A file given to the import can't be read as any known format."""


class ParseError(StreamLensError):
    """One line could not be understood; it is kept in the reject file with this reason."""


class AccessDenied(StreamLensError):
    """The person who asks may not see or do this."""


class JobError(StreamLensError):
    """A job could not do its work; the message says what failed and what is safe."""


class JobBusy(JobError):
    """The job is running already; it runs once at a time."""


class JobCancelled(JobError):
    """Somebody asked the job to stop; what was stored stays."""


class RemoteStorageError(StreamLensError):
    """S3 did not take or give something; nothing local is lost."""


class TwitchError(StreamLensError):
    """Twitch (or the sandbox) did not give what was asked for."""


class TwitchUnavailable(TwitchError):
    """No answer, or a server error that a retry did not cure."""


class TwitchUnauthorized(TwitchError):
    """The credentials were refused."""


class TwitchRefused(TwitchError):
    """Twitch understood the call and said no."""
