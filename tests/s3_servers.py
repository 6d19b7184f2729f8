"""S3 servers for tests: moto's in this process, and a real one that checks signatures (OpenStack Swift).

Swift lives in an environment of its own below the user's cache folder and is installed there once.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dashboard.config import Settings

SWIFT = "swift==2.38.*"
BUCKET = "lens-copy"
"""A name of its own: what moto keeps belongs to the process, and other tests run it too."""
_START_S = 30


@dataclass
class S3Server:
    """A running server with an empty bucket, and keys for it."""

    url: str
    key: str
    secret: str

    def client(self, **values: Any) -> Any:
        """A plain boto3 client, to look at what the code under test did."""
        import boto3
        from botocore.config import Config

        keys = {"aws_access_key_id": self.key, "aws_secret_access_key": self.secret} | values
        config = Config(
            s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, max_pool_connections=20
        )
        return boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", config=config, **keys)

    def settings(self, data_dir: Path, **values: Any) -> Settings:
        """Settings that sync a folder to the bucket."""
        from dashboard.config import Settings

        given = {
            "data_dir": data_dir,
            "sandbox": True,
            "s3_bucket": BUCKET,
            "s3_region": "us-east-1",
            "s3_endpoint_url": self.url,
            "aws_access_key_id": self.key,
            "aws_secret_access_key": self.secret,
            "s3_connect_timeout_s": 2,
            "s3_read_timeout_s": 10,
        }
        return Settings(_env_file=None, **given | values)

    def environment(self, data_dir: Path, **values: str) -> dict[str, str]:
        """The same as environment variables, for child processes."""
        given = {
            "DATA_DIR": str(data_dir),
            "SANDBOX": "true",
            "S3_BUCKET": BUCKET,
            "S3_REGION": "us-east-1",
            "S3_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
        }
        return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | given | values

    def names(self, prefix: str = "streamlens/") -> list[str]:
        """Every key below a prefix, without it."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [o["Key"].removeprefix(prefix) for page in pages for o in page.get("Contents", ())]

    def body(self, name: str) -> bytes:
        """An object below the usual prefix."""
        return self.client().get_object(Bucket=BUCKET, Key=f"streamlens/{name}")["Body"].read()

    def clear(self) -> None:
        """Leaves the bucket empty."""
        client = self.client()
        for name in self.names(""):
            client.delete_object(Bucket=BUCKET, Key=name)
        for upload in client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ()):
            client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])


@pytest.fixture(scope="session")
def moto_server() -> Iterator[S3Server]:
    """moto's server; it takes any signature."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    moto = S3Server(f"http://{host}:{port}", "moto", "moto-secret")
    moto.client().create_bucket(Bucket=BUCKET)
    yield moto
    server.stop()


@pytest.fixture
def moto(moto_server: S3Server) -> S3Server:
    """moto's server with an empty bucket."""
    moto_server.clear()
    return moto_server


class SwiftMissingError(Exception):
    """Swift can't be had on this machine; the message says why."""


@contextmanager
def running_swift() -> Iterator[S3Server]:
    """OpenStack Swift with s3api and tempauth in one process of its own; it checks signatures.

    Raises:
        SwiftMissingError: It can't be installed or started here.
    """
    python = _swift_python()
    # Of its own and not pytest's: extended attributes are needed, which a tmpfs may not have.
    folder = Path(tempfile.mkdtemp(prefix="streamlens-swift-", dir=_place_with_attributes()))
    key, secret = "test:tester", "testing-secret"
    node = Path(__file__).parent / "swift_node.py"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(python), "-W", "ignore", str(node), str(folder), key, secret],
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        port = process.stdout.readline().decode().strip()  # type: ignore[union-attr]
        if not port:
            process.wait(_START_S)
            raise SwiftMissingError("Swift does not start here: " + (folder / "log").read_text()[-400:])
        swift = S3Server(f"http://127.0.0.1:{port}", key, secret)
        swift.client().create_bucket(Bucket=BUCKET)
        yield swift
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def swift_server() -> Iterator[S3Server]:
    """Swift for all tests; without it they are skipped."""
    try:
        with running_swift() as swift:
            yield swift
    except SwiftMissingError as error:
        pytest.skip(str(error))


@pytest.fixture
def swift(swift_server: S3Server) -> S3Server:
    """Swift with an empty bucket."""
    swift_server.clear()
    return swift_server


def _swift_python() -> Path:
    """The interpreter of Swift's own environment, made on first use."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "streamlens-tests"
    home = cache / "swift-2.38"
    python = home / "bin" / "python"
    if (home / ".ready").exists():
        return python
    uv = Path(sys.executable).parent / "uv"
    cache.mkdir(parents=True, exist_ok=True)
    commands: list[list[str]]
    if uv.exists():
        commands = [
            [str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(home)],
            [str(uv), "pip", "install", "--quiet", "--python", str(python), SWIFT],
        ]
    else:
        commands = [
            [sys.executable, "-m", "venv", "--clear", str(home)],
            [str(python), "-m", "pip", "install", "--quiet", SWIFT],
        ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
        if done.returncode:
            raise SwiftMissingError(f"{SWIFT} can't be installed here: {done.stderr.strip()[-300:]}")
    (home / ".ready").touch()
    return python


def _place_with_attributes() -> Path | None:
    for place in (Path(tempfile.gettempdir()), Path.home(), Path.cwd()):
        try:
            with tempfile.NamedTemporaryFile(dir=place) as file:
                os.setxattr(file.name, b"user.swift.test", b"x" * 2000)
            return place
        except (OSError, AttributeError):
            continue
    raise SwiftMissingError("no folder here takes extended attributes, which Swift needs")
