"""Chance without memory: every number is a pure function of the seed and a key.

Nothing in the sandbox keeps a running random state, so a restart continues where the clock
is, and two clients asking for the same second get the same second.
"""

from __future__ import annotations

import hashlib
import math
from random import Random

import numpy as np
from numpy.typing import NDArray

UInts = NDArray[np.uint64]
Floats = NDArray[np.float64]

_MASK = (1 << 64) - 1


def number(seed: int, *parts: object) -> int:
    """A 64-bit number that belongs to this key and no other."""
    text = "\x1f".join(map(str, (seed, *parts)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def unit(seed: int, *parts: object) -> float:
    """A number in [0, 1) that belongs to this key."""
    return number(seed, *parts) / 2.0**64


def dice(seed: int, *parts: object) -> Random:
    """A generator that starts at this key."""
    return Random(number(seed, *parts))


def uuid(seed: int, *parts: object) -> str:
    """A UUID (version 4 in form, as Twitch's message ids) that belongs to this key."""
    text = "\x1f".join(map(str, (seed, *parts)))
    raw = bytearray(hashlib.blake2b(text.encode(), digest_size=16).digest())
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    h = raw.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def units(keys: NDArray[np.int64], salt: int) -> Floats:
    """One number in (0, 1) for each key (SplitMix64 of key and salt), in one vector operation."""
    x: UInts = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt & _MASK)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    return ((x >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def smooth(seed: int, t: float, period_s: float, *key: object) -> float:
    """Smooth noise in [-1, 1] at time ``t``: random knots every ``period_s``, eased in between."""
    knot = math.floor(t / period_s)
    share = t / period_s - knot
    ease = share * share * (3 - 2 * share)
    low, high = unit(seed, *key, knot), unit(seed, *key, knot + 1)
    return 2 * (low + (high - low) * ease) - 1


def poisson(random: Random, mean: float) -> int:
    """How many of something with this mean happen."""
    if mean <= 0:
        return 0
    if mean > 30:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, random.random()
    while product > limit:
        count += 1
        product *= random.random()
    return count


def shuffled(index: int, size: int, seed: int, *key: object) -> int:
    """Where ``index`` of ``size`` goes in a fixed shuffle; each index goes to a place of its own."""
    step, start = stride(size, seed, *key)
    return (index * step + start) % size


def unshuffled(place: int, size: int, seed: int, *key: object) -> int:
    """The inverse of :func:`shuffled`."""
    step, start = stride(size, seed, *key)
    return (place - start) * pow(step, -1, size) % size


def stride(size: int, seed: int, *key: object) -> tuple[int, int]:
    """Step and start of a fixed shuffle: index ``i`` goes to ``(i * step + start) % size``."""
    step = int(size * 0.618) + number(seed, *key, "step") % max(1, size // 7) or 1
    while math.gcd(step, size) != 1:
        step += 1
    return step, number(seed, *key, "start") % size
