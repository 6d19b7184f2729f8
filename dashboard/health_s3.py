"""The check of the S3 bucket: everything that is usually wrong with one, told apart."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from dashboard.config import Settings
from dashboard.config_rules import CURES
from dashboard.health import Check

_NAME = "S3"
_CONNECT_S = 3
_READ_S = 5
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
_RIGHTS_CURE = "Allow s3:PutObject, s3:GetObject, s3:DeleteObject and s3:ListBucket for these keys."
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
    "AccessDenied": ("the keys are good, but may not write to {bucket} under {prefix}", _RIGHTS_CURE),
}


def check_s3(settings: Settings) -> Check:
    """Whether the bucket is there and takes and deletes a tiny file under the prefix."""
    if not settings.s3_bucket:
        return Check(_NAME, "off", "not set: everything stays on this machine")
    from botocore import exceptions as errors

    place = settings.s3_endpoint_url or "AWS"
    endpoint_cure = CURES["s3_endpoint_url"]
    try:
        return _probe(settings, place)
    except (
        errors.NoCredentialsError,
        errors.PartialCredentialsError,
        errors.CredentialRetrievalError,
        errors.ProfileNotFound,
    ):
        return Check(_NAME, "fail", "no keys were found, in the settings or on this machine", _KEYS_CURE)
    except errors.SSLError:
        return Check(_NAME, "fail", f"{place}: its certificate is not trusted", endpoint_cure)
    except (errors.HTTPClientError, errors.EndpointConnectionError):
        return Check(_NAME, "fail", f"{place} can't be reached", f"Look at the network. {endpoint_cure}")
    except errors.ClientError as error:
        return _explain(settings, place, error.response)
    except errors.BotoCoreError as error:  # for one, an answer that is no XML
        detail = f"{place} does not answer as S3 does ({type(error).__name__})"
        return Check(_NAME, "fail", detail, endpoint_cure)


def _probe(settings: Settings, place: str) -> Check:
    client = _client(settings)
    bucket = settings.s3_bucket
    key = "/".join(filter(None, (settings.s3_prefix, f".check-{uuid.uuid4().hex}")))
    # The put decides: unlike HeadBucket's, its refusals say why.
    put = client.put_object(Bucket=bucket, Key=key, Body=b"streamlens")
    if "ETag" not in put:
        return Check(_NAME, "fail", f"{place} does not answer as S3 does", CURES["s3_endpoint_url"])
    client.delete_object(Bucket=bucket, Key=key)
    try:
        head = client.head_bucket(Bucket=bucket)
    except client.exceptions.ClientError:
        return Check(_NAME, "warn", f"{bucket} takes files, but these keys may not list them", _RIGHTS_CURE)
    region = head.get("BucketRegion") or _header(head, "x-amz-bucket-region")
    if region and settings.s3_region and region != settings.s3_region:
        detail = f"{bucket} is in {region}, not in {settings.s3_region}: every call takes a detour"
        return Check(_NAME, "warn", detail, f"Set S3_REGION={region}.")
    return Check(
        _NAME, "ok", f"{bucket} at {place} takes and deletes files under {settings.s3_prefix or '/'}"
    )


def _client(settings: Settings) -> Any:
    import boto3
    from botocore.config import Config

    session = boto3.session.Session(
        aws_access_key_id=settings.aws_access_key_id or None,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value() or None,
        aws_session_token=settings.aws_session_token.get_secret_value() or None,
        region_name=settings.s3_region or None,
    )
    return session.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url or None,
        config=Config(
            connect_timeout=_CONNECT_S,
            read_timeout=_READ_S,
            retries={"total_max_attempts": 1},
            # Servers other than AWS seldom have a host name a bucket, nor the newest checksums.
            s3={"addressing_style": "path"} if settings.s3_endpoint_url else {},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def _explain(settings: Settings, place: str, response: Mapping[str, Any]) -> Check:
    code = str(response.get("Error", {}).get("Code", ""))
    if code in _WRONG_REGION:
        region = response["Error"].get("Region") or _header(response, "x-amz-bucket-region")
        where = f"in {region}" if region else "in another region"
        detail = f"{settings.s3_bucket} is {where}, not in {settings.s3_region or 'the default region'}"
        return Check(_NAME, "fail", detail, f"Set S3_REGION={region}." if region else CURES["s3_region"])
    if code in _REFUSALS:
        detail, cure = _REFUSALS[code]
        prefix = settings.s3_prefix or "/"
        return Check(_NAME, "fail", detail.format(bucket=settings.s3_bucket, prefix=prefix), cure)
    if code.isdigit():  # S3 always names its errors
        return Check(_NAME, "fail", f"{place} does not answer as S3 does", CURES["s3_endpoint_url"])
    return Check(_NAME, "fail", f"{place} refused a small file ({code})", CURES["s3_bucket"])


def _header(response: Mapping[str, Any], name: str) -> str:
    return str(response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(name, ""))
