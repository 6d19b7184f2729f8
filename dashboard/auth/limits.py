"""How often one address may try to log in."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable


class AddressLimit:
    """So many tries in so long from one address, shared by all threads.

    Args:
        try_count: As many at once as ever.
        window_s: After so long without a try all are there again.
        most_addresses: Addresses remembered; the one not seen for longest goes first.
        monotonic: A clock in seconds.

    Caveats:
        An IPv6 address counts with its whole /64, which one household has to itself.
    """

    def __init__(
        self,
        try_count: int,
        window_s: float,
        *,
        most_addresses: int = 10_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._try_count = try_count
        self._pace_s = window_s / try_count
        self._most = most_addresses
        self._monotonic = monotonic
        self._lock = threading.Lock()
        # The instant at which the bucket of an address is full again.
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Takes one try.

        Args:
            address: Where it comes from.

        Returns:
            0, or how long to wait first (and nothing was taken).
        """
        key, now = _network(address), self._monotonic()
        with self._lock:
            full_at = max(self._full_at.get(key, now), now)
            wait_s = full_at - now - (self._try_count - 1) * self._pace_s
            if wait_s > 1e-9:
                return wait_s
            self._full_at[key] = full_at + self._pace_s
            self._full_at.move_to_end(key)
            while len(self._full_at) > self._most:
                self._full_at.popitem(last=False)
            return 0.0


def _network(address: str) -> str:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if known.version == 4:
        return str(known)
    return str(known.ipv4_mapped or ipaddress.ip_network((int(known) >> 64 << 64, 64)))
