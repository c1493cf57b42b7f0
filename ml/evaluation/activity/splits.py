"""Which windows train and which are asked, under protocols A1, A2, A2e and A3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.activity.windows import ActivityWindows

IntArray = NDArray[np.int64]
ProtocolName = Literal["A1", "A2", "A2e", "A3"]

A1_TRAIN_SHARE = 0.7
A2_TRAIN_S = 39.0
A2_GUARD_S = 6.0


@dataclass(frozen=True)
class ActivityProtocol:
    """What a protocol asks, in words for the tables.

    Args:
        name: Of DESIGN §9.
        title: Few words.
        meaning: What a figure under it says, and what it does not.
        leaky: Whether tested windows have near-duplicates among those trained on.
        asks_identity: Whether the people asked about are trained on, so that identity can be asked at all.
    """

    name: ProtocolName
    title: str
    meaning: str
    leaky: bool
    asks_identity: bool


PROTOCOLS: Mapping[ProtocolName, ActivityProtocol] = MappingProxyType(
    {
        protocol.name: protocol
        for protocol in (
            ActivityProtocol(
                "A1",
                "random windows 7:3 (the paper's, leaky)",
                "Windows of one minute of one person fall into both parts. A test window therefore has "
                "neighbors in the training data, seconds away. It serves comparison with the paper only and "
                "says nothing about another day, person or minute.",
                leaky=True,
                asks_identity=True,
            ),
            ActivityProtocol(
                "A2",
                "first 39 s / 6 s guard / rest",
                "Trained on the beginning of each recording, evaluated on its end. Person, electrode and "
                "minute of activity are the same, but no test window lies beside a training window.",
                leaky=False,
                asks_identity=True,
            ),
            ActivityProtocol(
                "A2e",
                "two electrodes → the third",
                "The same people in other recordings, with a held-out kind of electrode. "
                "The electrodes seem to have been worn one after the other, and effort adds up: the median "
                "heart rate at rest is 84 bpm with AgAgCl, 93 with chrome-nickel and 101 with textile.",
                leaky=False,
                asks_identity=True,
            ),
            ActivityProtocol(
                "A3",
                "leave one person out",
                "Evaluated on held-out people, as a service would meet them. Identity is not evaluated.",
                leaky=False,
                asks_identity=False,
            ),
        )
    }
)


@dataclass(frozen=True, eq=False)
class Split:
    """One fold.

    Attributes:
        protocol: What it belongs to; says whether it leaks.
        name: Unique within the protocol, such as `A3 without kal_04`.
        train: Indices of windows, ascending, int64.
        test: Likewise; none of `train`.
    """

    protocol: ActivityProtocol
    name: str
    train: IntArray = field(repr=False)
    test: IntArray = field(repr=False)


def splits(protocol: ProtocolName, windows: ActivityWindows, seed: int = 0) -> tuple[Split, ...]:
    """Divide windows into folds.

    Args:
        protocol: One of `PROTOCOLS`.
        windows: Of the motion set.
        seed: Of A1's draw; the others draw nothing.

    Raises:
        ValueError: An unknown protocol; the message lists the known ones. A fold with an empty part.
    """
    if protocol not in get_args(ProtocolName):
        raise ValueError(f"protocol: expected one of {sorted(PROTOCOLS)}, got {protocol!r}")
    found = _FOLDS[protocol](windows, seed)
    for split in found:
        if not split.train.size or not split.test.size:
            sizes = f"{split.train.size} windows to train on, {split.test.size} to ask"
            raise ValueError(f"{split.name}: {sizes}")
    return found


def _random_windows(windows: ActivityWindows, seed: int) -> tuple[Split, ...]:
    order = np.random.default_rng(seed).permutation(len(windows))
    n_train = round(A1_TRAIN_SHARE * len(windows))
    train, test = np.sort(order[:n_train]), np.sort(order[n_train:])
    return (Split(PROTOCOLS["A1"], f"A1 seed {seed}", train, test),)


def _beginnings(windows: ActivityWindows, seed: int) -> tuple[Split, ...]:  # noqa: ARG001
    # A thousandth of a second of grace: starts are sums of inexact numbers.
    trained = windows.end_s <= A2_TRAIN_S + 1e-3
    asked = windows.start_s >= A2_TRAIN_S + A2_GUARD_S - 1e-3
    return (_fold("A2", "A2", trained, asked),)


def _other_electrodes(windows: ActivityWindows, seed: int) -> tuple[Split, ...]:  # noqa: ARG001
    return tuple(
        _fold("A2e", f"A2e without {name}", windows.electrode != index, windows.electrode == index)
        for index, name in enumerate(windows.electrodes)
    )


def _other_people(windows: ActivityWindows, seed: int) -> tuple[Split, ...]:  # noqa: ARG001
    return tuple(
        _fold("A3", f"A3 without {name}", windows.person != index, windows.person == index)
        for index, name in enumerate(windows.people)
    )


def _fold(protocol: ProtocolName, name: str, train: NDArray[np.bool_], test: NDArray[np.bool_]) -> Split:
    return Split(PROTOCOLS[protocol], name, np.flatnonzero(train), np.flatnonzero(test))


_FOLDS: Mapping[ProtocolName, Callable[[ActivityWindows, int], tuple[Split, ...]]] = {
    "A1": _random_windows,
    "A2": _beginnings,
    "A2e": _other_electrodes,
    "A3": _other_people,
}
