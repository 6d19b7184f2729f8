"""How often chance gives so many, when accounts come in small clumps and the expected count is not exact."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_ROUNDS: Final = 60
_LEAST: Final = 1e-6


def upper_tail(counts: Floats, means: Floats, clump: float, spread: Floats) -> Floats:
    """Probability of at least so many.

    The counts are over-dispersed in two ways: clumps (variance grows with the mean: variance ÷ mean is
    1 + ``clump``) and an uncertain mean (its relative variance is ``spread``). Clumps come as a negative
    binomial number, each of a Poisson size; without either it is the plain Poisson tail.

    Args:
        counts: Observed, whole numbers.
        means: Expected, above 0.
        clump: Mean size of a clump; 0 for accounts that come one by one.
        spread: Relative variance of the expected count.

    Returns:
        P(X ≥ count), 1 where no more was observed than expected.

    Source:
        Lugannani and Rice (1980), the saddlepoint formula with the correction for whole numbers: within
        some per cent of the exact sum, also far out in the tail.
    """
    k, mean, s = np.broadcast_arrays(
        *(np.asarray(part, dtype=np.float64) for part in (counts, means, spread))
    )
    found = np.ones(k.shape)
    is_more = k > mean * 1.0001 + 1e-9
    if is_more.any():
        found[is_more] = _tail(k[is_more], mean[is_more], max(clump, 1e-4), np.maximum(s[is_more], _LEAST))
    return found


def _tail(k: Floats, mean: Floats, clump: float, s: Floats) -> Floats:
    from scipy.special import log_ndtr

    clumps = mean / clump
    # The saddlepoint lies between 0 and where the generating function ends.
    low = np.zeros(len(k))
    high = np.minimum(np.log1p(np.log1p(1 / (s * clumps)) / clump), np.log(k / mean))
    # The curve bends upwards: from the right Newton's steps come down to it without a detour.
    t = high * (1 - 1e-6)
    for _ in range(_ROUNDS):
        growth, left = _parts(t, clump, s * clumps)
        too_far = np.log(mean / k) + t + clump * np.expm1(t) - np.log(left)
        low, high = np.where(too_far > 0, low, t), np.where(too_far > 0, t, high)
        step = t - too_far / (1 + clump * np.exp(t) * (1 + s * clumps * growth / left))
        step = np.where((step >= low) & (step <= high), step, (low + high) / 2)
        is_done = bool(np.max(np.abs(step - t)) < 1e-8)
        t = step
        if is_done:
            break
    growth, left = _parts(t, clump, s * clumps)
    height = -np.log(left) / s
    curve = k * (1 + clump * np.exp(t) * (1 + s * clumps * growth / left))
    w = np.sqrt(np.maximum(2 * (t * k - height), 1e-12))
    u = -np.expm1(-t) * np.sqrt(curve)
    density = np.exp(-w * w / 2) / np.sqrt(2 * np.pi)
    tail: Floats = np.clip(np.exp(log_ndtr(-w)) + density * (1 / u - 1 / w), 0.0, 1.0)
    return tail


def _parts(t: Floats, clump: float, weight: Floats) -> tuple[Floats, Floats]:
    """Growth of a clump's generating function, and what is left to the end of the whole one's."""
    growth = np.exp(clump * np.expm1(t))
    return growth, np.maximum(1 - weight * (growth - 1), 1e-12)


def least_counts(threshold: float, means: Floats, clump: float, spread: Floats, *, at_least: int) -> Floats:
    """The smallest counts whose tail is at most a threshold.

    Args:
        threshold: Probability.
        means: Expected.
        clump: As for ``upper_tail``.
        spread: As for ``upper_tail``.
        at_least: No smaller count than this.
    """
    low = np.maximum(np.floor(means), at_least - 1.0)
    high = low + 8
    while (is_short := upper_tail(high, means, clump, spread) > threshold).any():
        high = np.where(is_short, high * 2, high)
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        is_short = (upper_tail(middle, means, clump, spread) > threshold) & (high - low > 1)
        low, high = np.where(is_short, middle, low), np.where(is_short | (high - low <= 1), high, middle)
    return np.maximum(high, float(at_least))
