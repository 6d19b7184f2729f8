"""The rights in docs/s3.md are those that the code uses, no more and no less; and what few rights do."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dashboard.docs_web import docs_blueprint
from dashboard.errors import RemoteStorageError
from dashboard.health_s3 import check_s3
from dashboard.storage import s3, s3_upload, sync
from dashboard.storage.compaction import Compactor
from dashboard.storage.ingest import Ingest
from dashboard.storage.restore import Wanted, restore
from dashboard.storage.s3 import Bucket
from dashboard.storage.sync import sync_once
from tests.s3_servers import S3Server
from tests.storage_events import messages

DOCS = Path(__file__).resolve().parents[2] / "docs" / "s3.md"
ACTIONS = {
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "DeleteObject": "s3:DeleteObject",
    "DeleteObjects": "s3:DeleteObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "ListParts": "s3:ListMultipartUploadParts",
    "ListObjectsV2": "s3:ListBucket",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
}
"""AWS's own table of which call needs which right."""
SETTINGS = {"s3_prefix": "streamlens"}


def policy(name: str) -> dict[str, Any]:
    (body,) = re.findall(rf"```json policy={name}\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    return json.loads(body)


def rights(name: str) -> set[str]:
    found: set[str] = set()
    for statement in policy(name)["Statement"]:
        action = statement["Action"]
        found |= {action} if isinstance(action, str) else set(action)
    return found


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of all calls that clients of the code make from now on."""
    made: set[str] = set()
    real = s3.open_client

    def watched(*args: Any, **values: Any) -> Any:
        client = real(*args, **values)
        client.meta.events.register("before-call.s3", lambda model, **_: made.add(model.name))
        return client

    monkeypatch.setattr(s3, "open_client", watched)
    return made


def put(data_dir: Path, first: int, last: int) -> None:
    with Ingest(data_dir) as ingest:
        ingest.put(messages(first, last))


def test_the_collector_needs_exactly_what_the_manual_gives(
    moto: S3Server, tmp_path: Path, calls: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_upload, "LARGEST_PUT_BYTES", 5 << 20)
    monkeypatch.setattr(s3_upload, "PART_BYTES", 5 << 20)
    monkeypatch.setattr(sync, "GRACE_S", -1)
    monkeypatch.setattr(sync, "_FORGOTTEN_UPLOAD_S", -5)
    settings = moto.settings(tmp_path, **SETTINGS)
    put(tmp_path, 1, 5)
    put(tmp_path, 6, 10)
    big = tmp_path / "raw" / "big.bin"
    big.parent.mkdir()
    big.write_bytes(os.urandom(11 << 20))
    with monkeypatch.context() as patch:
        patch.setattr(s3_upload.Uploader, "_complete", _cut_off)
        with pytest.raises(RemoteStorageError, match="cut off"):
            sync_once(settings, everything=True)
    moto.client().create_multipart_upload(Bucket=settings.s3_bucket, Key="streamlens/raw/left.bin")
    sync_once(settings, everything=True)  # resumes: ListParts
    Compactor(tmp_path).run(everything=True)
    monkeypatch.setattr(sync, "_AUDIT_EVERY_S", 0)
    sync_once(settings, everything=True)  # deletes, lists, aborts
    restore(settings, to=tmp_path / "back", wanted=Wanted(with_state=True))

    assert {ACTIONS[call] for call in calls} == rights("collector")


def _cut_off(*_: Any) -> None:
    raise RemoteStorageError("cut off")


def test_the_analyst_needs_exactly_what_the_manual_gives(
    moto: S3Server, tmp_path: Path, calls: set[str]
) -> None:
    put(tmp_path / "a", 1, 5)
    settings = moto.settings(tmp_path / "a", **SETTINGS)
    sync_once(settings, everything=True)
    calls.clear()
    restore(settings, to=tmp_path / "b", wanted=Wanted(first_date="2023-11-14"))
    # Listing is for globs, and tells a file that is missing from one that is refused.
    assert {ACTIONS[call] for call in calls} | {"s3:ListBucket"} == rights("analyst")
    assert not {right for right in rights("analyst") if not right.startswith(("s3:Get", "s3:List"))}


@pytest.mark.parametrize("name", ["collector", "analyst"])
def test_policies_reach_nothing_outside_the_prefix(name: str) -> None:
    told = policy(name)
    assert told["Version"] == "2012-10-17"
    for statement in told["Statement"]:
        assert statement["Effect"] == "Allow"
        resources = statement["Resource"]
        for resource in [resources] if isinstance(resources, str) else resources:
            assert resource == "arn:aws:s3:::my-bucket" or resource.startswith(
                "arn:aws:s3:::my-bucket/streamlens/"
            )
        if statement["Action"] == "s3:ListBucket":
            prefixes = statement["Condition"]["StringLike"]["s3:prefix"]
            assert all(prefix.startswith("streamlens/") for prefix in prefixes)
    if name == "analyst":
        assert "streamlens/state" not in json.dumps(told)


def test_the_lifecycle_is_one_that_s3_takes(moto: S3Server) -> None:
    (body,) = re.findall(r"```json lifecycle\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    client = moto.client()
    client.create_bucket(Bucket="lifecycle-bucket")
    client.put_bucket_lifecycle_configuration(
        Bucket="lifecycle-bucket", LifecycleConfiguration=json.loads(body)
    )
    rules = client.get_bucket_lifecycle_configuration(Bucket="lifecycle-bucket")["Rules"]
    assert {rule["ID"] for rule in rules} == {"half-uploads", "raw-as-long-as-events", "old-versions"}


class TestRightsForThePrefixOnly:
    """AWS says 403 where it means 404 to who may list the prefix but not the bucket as a whole."""

    def refuse(self, bucket: Bucket, *, may_list: bool, present: tuple[str, ...] = ()) -> None:
        def denied(name: str) -> Any:
            def call(**_: Any) -> Any:
                error = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
                raise ClientError(error, name)

            return call

        def listed(Prefix: str, **_: Any) -> Any:  # noqa: N803 - boto3's own spelling
            return {"Contents": [{"Key": key} for key in present if key.startswith(Prefix)]}

        bucket.client.head_object = denied("HeadObject")
        bucket.client.get_object = denied("GetObject")
        bucket.client.list_objects_v2 = listed if may_list else denied("ListObjectsV2")

    def test_what_is_not_listed_is_missing(self, moto: S3Server, tmp_path: Path) -> None:
        bucket = Bucket(moto.settings(tmp_path))
        self.refuse(bucket, may_list=True)
        assert bucket.head("manifest.json.gz") is None
        assert bucket.get("manifest.json.gz") is None

    def test_what_is_listed_is_refused(self, moto: S3Server, tmp_path: Path) -> None:
        bucket = Bucket(moto.settings(tmp_path))
        self.refuse(bucket, may_list=True, present=("streamlens/manifest.json.gz",))
        with pytest.raises(RemoteStorageError, match="may not write to lens-copy"):
            bucket.get("manifest.json.gz")

    def test_who_may_not_list_either_is_told_so(self, moto: S3Server, tmp_path: Path) -> None:
        bucket = Bucket(moto.settings(tmp_path))
        self.refuse(bucket, may_list=False)
        with pytest.raises(RemoteStorageError, match="may not write to lens-copy"):
            bucket.head("manifest.json.gz")


def test_the_check_leaves_nothing_behind(moto: S3Server, tmp_path: Path) -> None:
    assert check_s3(moto.settings(tmp_path)).status == "ok"
    assert moto.names() == []


def test_the_manual_is_served_and_nothing_else_of_its_folder() -> None:
    import flask

    app = flask.Flask("test")
    app.register_blueprint(docs_blueprint())
    client = app.test_client()
    with client.get("/docs/s3.md") as answer:
        assert (answer.status_code, answer.mimetype) == (200, "text/plain")
        assert "# S3: setup" in answer.text
    for path in ("/docs/live-dark.png", "/docs/../README.md", "/docs/..%2Fapp.py"):
        assert client.get(path).status_code == 404


def test_the_manual_s_way_to_read_the_bucket_directly_works(
    moto: S3Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, 1, 5)
    settings = moto.settings(tmp_path)
    sync_once(settings, everything=True)
    Compactor(tmp_path).run(everything=True)
    put(tmp_path, 6, 8)
    sync_once(settings, everything=True)  # both the small file and the one that replaced it are there
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    keys = f'endpoint_url="{moto.url}", aws_access_key_id="a", aws_secret_access_key="b"'
    code = code.replace('boto3.client("s3")', f'boto3.client("s3", region_name="us-east-1", {keys})')
    place = f'endpoint_override="{moto.url}", access_key="a", secret_key="b", '
    code = code.replace("fs.S3FileSystem(", f"fs.S3FileSystem({place}")
    code = code.replace("my-bucket", settings.s3_bucket).replace("2026-01-01", "2023-01-01")
    exec(compile(code, "docs/s3.md", "exec"), {})
    assert re.search(r"alpha\s*│\s*8 ", capsys.readouterr().out)
