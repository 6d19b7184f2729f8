"""The check of the S3 bucket: everything that is usually wrong with one, told apart."""

from __future__ import annotations

import uuid
from typing import Any

from dashboard.config import Settings
from dashboard.config_rules import CURES
from dashboard.health import Check
from dashboard.storage.s3 import open_client
from dashboard.storage.s3_errors import RIGHTS_CURE, header, trouble_of

_NAME = "S3"
_CONNECT_S = 3
_READ_S = 5


def check_s3(settings: Settings) -> Check:
    """Whether the bucket is there and takes and deletes a tiny file under the prefix."""
    if not settings.s3_bucket:
        return Check(_NAME, "off", "not set: everything stays on this machine")
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return _probe(settings, settings.s3_endpoint_url or "AWS")
    except (BotoCoreError, ClientError) as error:
        trouble = trouble_of(error, settings)
        return Check(_NAME, "fail", trouble.detail, trouble.cure)


def _probe(settings: Settings, place: str) -> Check:
    client = open_client(settings, connect_timeout_s=_CONNECT_S, read_timeout_s=_READ_S)
    bucket = settings.s3_bucket
    key = "/".join(filter(None, (settings.s3_prefix, f".check-{uuid.uuid4().hex}")))
    # The put decides: unlike HeadBucket's, its refusals say why.
    put = client.put_object(Bucket=bucket, Key=key, Body=b"streamlens")
    if "ETag" not in put:
        return Check(_NAME, "fail", f"{place} does not answer as S3 does", CURES["s3_endpoint_url"])
    client.delete_object(Bucket=bucket, Key=key)
    try:
        client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    except client.exceptions.ClientError:
        return Check(_NAME, "warn", f"{bucket} takes files, but these keys may not list them", RIGHTS_CURE)
    region = _region(client, bucket)
    if region and settings.s3_region and region != settings.s3_region:
        detail = f"{bucket} is in {region}, not in {settings.s3_region}: every call takes a detour"
        return Check(_NAME, "warn", detail, f"Set S3_REGION={region}.")
    return Check(
        _NAME, "ok", f"{bucket} at {place} takes and deletes files under {settings.s3_prefix or '/'}"
    )


def _region(client: Any, bucket: str) -> str:
    """Where the bucket is; empty when rights that hold for the prefix only don't let us ask."""
    try:
        head = client.head_bucket(Bucket=bucket)
    except client.exceptions.ClientError:
        return ""
    return head.get("BucketRegion") or header(head, "x-amz-bucket-region")
