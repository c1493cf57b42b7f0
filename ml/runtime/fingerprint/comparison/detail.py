"""The bytes of a fingerprint's detail: minutiae and cylinders in a fixed number of slots.

The number of slots is fixed so that the length of what is stored says nothing about the finger. Cylinders are
kept beside the minutiae, since building them takes a hundred times as long as reading them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.fingerprint.comparison.cylinders import WORDS, cylinders
from ml.runtime.fingerprint.comparison.template import DIRECTIONS, FingerprintTemplate
from ml.runtime.fingerprint.minutiae import Minutiae

SLOTS: Final = 100
VERSION: Final = 1
PX_PER_UNIT: Final = 0.5

LEAST_CYLINDERS: Final = 4
"""Fewer say nothing: two nearly empty prints would be alike."""

_MAGIC = b"PPFM"
_HEAD = struct.Struct("<4sBBBxHH")  # magic, version, minutiae, cylinders, dpi in tenths, quality / 65535
_SLOT = np.dtype(
    [
        ("x", "<u2"),
        ("y", "<u2"),
        ("direction", "u1"),
        ("quality", "u1"),
        ("cells", "<u8"),
        ("bits", "<u8", (WORDS,)),
    ]
)
DETAIL_BYTES: Final = _HEAD.size + SLOTS * _SLOT.itemsize
_MOST_UNITS = 2**14
_MOST_TENTHS_DPI = 2**16 - 1


@dataclass(frozen=True, eq=False, repr=False)
class WrittenDetail:
    """One impression as it is kept, and what else is made of it; biometric data.

    Args:
        detail: `DETAIL_BYTES` bytes.
        fillings: Of the cylinders that can be compared, those of the best minutiae first; float32, shape
            (n_cylinders, CELLS · SECTIONS).
    """

    detail: bytes
    fillings: NDArray[np.float32]


def detail_of(minutiae: Minutiae, *, dpi: float, quality: float) -> bytes:
    """Write the detail of one impression; arguments and errors as of `write_detail`."""
    return write_detail(minutiae, dpi=dpi, quality=quality).detail


def write_detail(minutiae: Minutiae, *, dpi: float, quality: float) -> WrittenDetail:
    """Write the detail of one impression.

    Args:
        minutiae: The best `SLOTS` by quality are kept.
        dpi: Of the image.
        quality: Of the impression, 0 to 1.

    Raises:
        ValueError: Minutiae further apart than any finger is wide, or too few to compare.
    """
    kept = _best(minutiae)
    rounded, units = _quantized(kept)
    built = cylinders(rounded)
    if (found := int(built.valid.sum())) < LEAST_CYLINDERS:
        raise ValueError(f"expected {LEAST_CYLINDERS} minutiae with enough around them, found {found}")
    order = np.argsort(~built.valid, kind="stable")
    slots = np.zeros(SLOTS, dtype=_SLOT)
    filled = slots[: len(order)]
    filled["x"], filled["y"] = units[order].T
    filled["direction"] = _direction_units(kept.direction)[order]
    filled["quality"] = np.clip(np.rint(255.0 * kept.quality), 0, 255).astype(np.uint8)[order]
    filled["cells"] = np.where(built.valid, built.cells, np.uint64(0))[order]
    filled["bits"] = np.where(built.valid[:, None], built.bits, np.uint64(0))[order]
    tenths = int(np.clip(round(10.0 * dpi), 0, _MOST_TENTHS_DPI))
    share = int(np.clip(round(65535.0 * quality), 0, 65535))
    head = _HEAD.pack(_MAGIC, VERSION, len(order), found, tenths, share)
    return WrittenDetail(head + slots.tobytes(), built.fillings[order[:found]])


def open_detail(detail: bytes) -> FingerprintTemplate:
    """Read what `detail_of` wrote.

    Raises:
        ValueError: Not such bytes.
    """
    if len(detail) != DETAIL_BYTES:
        raise ValueError(f"a fingerprint's detail has {DETAIL_BYTES} bytes, not {len(detail)}")
    magic, version, count, n_cylinders, tenths, share = _HEAD.unpack_from(detail)
    if magic != _MAGIC or version != VERSION:
        raise ValueError("not the detail of a fingerprint, or of another version")
    slots = np.frombuffer(detail, dtype=_SLOT, offset=_HEAD.size)
    _require_sound(slots, count, n_cylinders)
    filled, first = slots[:count], slots[:n_cylinders]
    return FingerprintTemplate(
        key=detail,
        x=filled["x"].astype(np.float64),
        y=filled["y"].astype(np.float64),
        turns=filled["direction"].copy(),
        n_cylinders=n_cylinders,
        bits=first["bits"].astype(np.uint64),
        cells=first["cells"].astype(np.uint64),
        dpi=tenths / 10.0,
        quality=share / 65535.0,
    )


def _require_sound(slots: NDArray[np.void], count: int, n_cylinders: int) -> None:
    if not LEAST_CYLINDERS <= n_cylinders <= count <= SLOTS:
        raise ValueError(f"{n_cylinders} cylinders on {count} minutiae in {SLOTS} slots")
    if slots[count:].tobytes().strip(b"\0") or slots["cells"][n_cylinders:].any():
        raise ValueError("slots that hold nothing are not empty")
    if (slots["bits"] & ~slots["cells"][:, None]).any():
        raise ValueError("cylinders with bits outside the finger")
    if max(slots["x"].max(), slots["y"].max()) >= _MOST_UNITS:
        raise ValueError("minutiae outside of any finger")


def _best(minutiae: Minutiae) -> Minutiae:
    best = np.argsort(-minutiae.quality, kind="stable")[:SLOTS]
    return Minutiae(minutiae.xy[best], minutiae.direction[best], minutiae.quality[best])


def _quantized(minutiae: Minutiae) -> tuple[Minutiae, NDArray[np.int64]]:
    """The minutiae as they will be read back, and their places in units from the first; shape (n, 2)."""
    first = minutiae.xy.min(axis=0) if len(minutiae) else np.zeros(2)
    units = np.rint((minutiae.xy - first) / PX_PER_UNIT).astype(np.int64)
    if units.size and units.max() >= _MOST_UNITS:
        raise ValueError("minutiae further apart than any finger is wide")
    direction = _direction_units(minutiae.direction) * np.float32(2.0 * np.pi / DIRECTIONS)
    return Minutiae((units * PX_PER_UNIT).astype(np.float32), direction, minutiae.quality), units


def _direction_units(direction: NDArray[np.float32]) -> NDArray[np.uint8]:
    turns = direction.astype(np.float64) * (DIRECTIONS / (2.0 * np.pi))
    return (np.rint(turns).astype(np.int64) % DIRECTIONS).astype(np.uint8)
