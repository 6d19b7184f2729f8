"""One Swift in one process: account, container, object and proxy servers on loopback, without memcached.

Runs in Swift's own environment (see ``tests/swift_server.py``), as
``python swift_node.py FOLDER KEY SECRET``; prints the port it listens on.
"""

import sys
import time
from pathlib import Path

import eventlet

eventlet.monkey_patch()

from eventlet import wsgi  # noqa: E402
from swift.common import ring, utils  # noqa: E402
from swift.common.http_protocol import SwiftHttpProtocol  # noqa: E402
from swift.common.storage_policy import reload_storage_policies  # noqa: E402
from swift.common.wsgi import loadapp  # noqa: E402

_SERVERS = ("account", "container", "object")
_PROXY = """
[DEFAULT]
swift_dir = {folder}
[pipeline:main]
pipeline = catch_errors gatekeeper s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:s3api]
use = egg:swift#s3api
location = {region}
dns_compliant_bucket_names = true
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{user} = {secret} .admin
[filter:slo]
use = egg:swift#slo
"""
_STORAGE = """
[DEFAULT]
swift_dir = {folder}
devices = {folder}/disks
mount_check = false
disable_fallocate = true
[pipeline:main]
pipeline = {server}-server
[app:{server}-server]
use = egg:swift#{server}
"""


class Memory:
    """What memcached would keep, in this process."""

    def __init__(self):
        self._kept = {}

    def get(self, key, raise_on_error=False):
        value, until = self._kept.get(key, (None, 0))
        return value if until > time.time() else None

    def set(self, key, value, serialize=True, time=0, min_compress_len=0, raise_on_error=False):
        import time as clock

        self._kept[key] = (value, clock.time() + (time or 3600))

    def incr(self, key, delta=1, time=0):
        value = max(0, (self.get(key) or 0) + delta)
        self.set(key, value, time=time)
        return value

    def decr(self, key, delta=1, time=0):
        return self.incr(key, -delta, time)

    def delete(self, key, server_key=None):
        self._kept.pop(key, None)


def main(folder: Path, key: str, secret: str) -> None:
    """Serves until the parent goes."""
    account, user = key.split(":")
    (folder / "disks" / "d1").mkdir(parents=True, exist_ok=True)
    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = streamlens\n")
    utils.set_swift_dir(str(folder))
    utils.validate_hash_conf()
    reload_storage_policies()
    sockets = {server: eventlet.listen(("127.0.0.1", 0)) for server in _SERVERS}
    for server, socket in sockets.items():
        device = {"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "device": "d1", "weight": 1}
        device["port"] = device["replication_port"] = socket.getsockname()[1]
        device["replication_ip"] = "127.0.0.1"
        # Four partitions, one copy each: 32 bits less the power of the number of partitions.
        ring.RingData([[0] * 4], [device], 30).save(str(folder / f"{server}.ring.gz"))
    for server, socket in sockets.items():
        conf = folder / f"{server}-server.conf"
        conf.write_text(_STORAGE.format(folder=folder, server=server))
        eventlet.spawn(_serve, socket, loadapp(str(conf)))
    conf = folder / "proxy-server.conf"
    conf.write_text(
        _PROXY.format(folder=folder, account=account, user=user, secret=secret, region="us-east-1")
    )
    proxy, memory = loadapp(str(conf)), Memory()

    def with_memory(environ, start_response):
        environ["swift.cache"] = memory
        return proxy(environ, start_response)

    front = eventlet.listen(("127.0.0.1", 0))
    print(front.getsockname()[1], flush=True)
    _serve(front, with_memory)


def _serve(socket, app):
    wsgi.server(
        socket,
        app,
        utils.NullLogger() if hasattr(utils, "NullLogger") else None,
        protocol=SwiftHttpProtocol,
        capitalize_response_headers=False,
        log_output=False,
        debug=False,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
