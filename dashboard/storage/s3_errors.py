"""What goes wrong with a bucket, told apart: in words, with the cure, and whether waiting may help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboard.config_rules import CURES

if TYPE_CHECKING:
    from dashboard.config import Settings

_WRONG_REGION = {
    "301",
    "PermanentRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
}
_KEYS_CURE = (
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys of the account that owns the bucket, "
    "and AWS_SESSION_TOKEN with temporary ones."
)
RIGHTS_CURE = "Allow s3:PutObject, s3:GetObject, s3:DeleteObject and s3:ListBucket for these keys."
_REFUSALS: Mapping[str, tuple[str, str]] = {
    "InvalidAccessKeyId": ("the server does not know the access key", _KEYS_CURE),
    "SignatureDoesNotMatch": ("the secret does not belong to the access key", _KEYS_CURE),
    "ExpiredToken": ("the temporary keys have expired", _KEYS_CURE),
    "InvalidToken": ("the session token is wrong", _KEYS_CURE),
    "NoSuchBucket": (
        "there is no bucket {bucket}",
        f"Make the bucket, or correct the name. {CURES['s3_bucket']}",
    ),
    "InvalidBucketName": ("{bucket} can't be a bucket's name", CURES["s3_bucket"]),
    "RequestTimeTooSkewed": (
        "this machine's clock is too far off for a signature",
        "Switch on time synchronisation (timedatectl set-ntp true).",
    ),
    "AccessDenied": ("the keys are good, but may not write to {bucket} under {prefix}", RIGHTS_CURE),
}
# A HEAD has no body that could name the error, only the status.
_STATUSES: Mapping[str, tuple[str, str]] = {
    "403": ("{bucket} under {prefix} is refused: wrong keys, or not enough rights", RIGHTS_CURE),
}
_PASSING_CODES = {
    "InternalError",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "RequestTimeout",
    "RequestLimitExceeded",
    "OperationAborted",
    # The body was spoilt on its way; it is whole here.
    "BadDigest",
    "XAmzContentSHA256Mismatch",
    "IncompleteBody",
}
_DENIED_CODES = {"403", "AccessDenied"}
_MISSING_CODES = {"404", "NoSuchKey", "NotFound", "NoSuchUpload"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One failure, for people."""

    detail: str
    cure: str
    is_passing: bool
    """Whether the same call may succeed in a moment."""
    code: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether the object is simply not there."""
        return self.code in _MISSING_CODES

    @property
    def is_denied(self) -> bool:
        """Whether these rights don't reach; S3 also says so of what is missing to who may not list it."""
        return self.code in _DENIED_CODES


def trouble_of(error: Exception, settings: Settings) -> Trouble:
    """Says what a failure of boto3 means.

    Args:
        error: A ``BotoCoreError`` or ``ClientError``, or an error of the network below them.
        settings: Name the bucket, the prefix and the server.

    Returns:
        Words without secrets.
    """
    from botocore import exceptions as errors

    place = settings.s3_endpoint_url or "AWS"
    endpoint_cure = CURES["s3_endpoint_url"]
    no_keys = (
        errors.NoCredentialsError,
        errors.PartialCredentialsError,
        errors.CredentialRetrievalError,
        errors.ProfileNotFound,
    )
    if isinstance(error, errors.ClientError):
        return _explain(settings, place, error.response, is_bodyless=error.operation_name.startswith("Head"))
    if isinstance(error, no_keys):
        return Trouble("no keys were found, in the settings or on this machine", _KEYS_CURE, False)
    if isinstance(error, errors.SSLError):
        return Trouble(f"{place}: its certificate is not trusted", endpoint_cure, False)
    if isinstance(error, errors.ReadTimeoutError):
        cure = f"Look at the network, or give it longer. {CURES['s3_read_timeout_s']}"
        return Trouble(f"{place} did not answer in {settings.s3_read_timeout_s:g} s", cure, True)
    if isinstance(error, errors.HTTPClientError | errors.EndpointConnectionError | OSError):
        return Trouble(f"{place} can't be reached", f"Look at the network. {endpoint_cure}", True)
    if isinstance(error, errors.IncompleteReadError | errors.ResponseStreamingError):
        return Trouble(f"{place} broke off in the middle of a file", "Look at the network.", True)
    detail = f"{place} does not answer as S3 does ({type(error).__name__})"  # for one, what is no XML
    return Trouble(detail, endpoint_cure, False)


def _explain(settings: Settings, place: str, response: Mapping[str, Any], *, is_bodyless: bool) -> Trouble:
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    is_passing = code in _PASSING_CODES or status == 429 or (status >= 500 and status not in (501, 507))
    if code in _WRONG_REGION:
        region = response["Error"].get("Region") or header(response, "x-amz-bucket-region")
        where = f"in {region}" if region else "in another region"
        detail = f"{settings.s3_bucket} is {where}, not in {settings.s3_region or 'the default region'}"
        return Trouble(detail, f"Set S3_REGION={region}." if region else CURES["s3_region"], False, code)
    if found := _REFUSALS.get(code) or _STATUSES.get(code):
        detail, cure = found
        prefix = settings.s3_prefix or "/"
        return Trouble(detail.format(bucket=settings.s3_bucket, prefix=prefix), cure, False, code)
    # botocore's 500 is also what it makes of an answer of 200 that is no S3's.
    if is_passing and (code != "500" or is_bodyless):
        detail = f"{place} has trouble at the moment ({code or status})"
        return Trouble(detail, "Wait; it is tried again by itself.", True, code)
    if code.isdigit():  # S3 always names its errors
        return Trouble(f"{place} does not answer as S3 does", CURES["s3_endpoint_url"], is_passing, code)
    return Trouble(f"{place} refused a small file ({code})", CURES["s3_bucket"], False, code)


def header(response: Mapping[str, Any], name: str) -> str:
    """A header of boto3's answer; empty when there is none."""
    return str(response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(name, ""))
