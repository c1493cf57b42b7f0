"""Enrollments that resemble nobody must not open the door, though a gallery's null averages over them."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from app.domain.subjects import Scope
from tests.api.application import Api
from tests.attacks.climber import FS_HZ, PublicBeats
from tests.attacks.crowd import Crowd, enrollment, matches, recording, verify

pytestmark = pytest.mark.real_data

JUNK = 30
CLAIMED = 30
MOST_FALSE = 3
"""Of 900 at FMR 0.1 %; 0.9 are expected."""


def odd_strips(beats: PublicBeats, count: int) -> list[np.ndarray]:
    """Heartbeats three standard deviations from everybody's, each another one."""
    coefficients = np.random.default_rng(7).standard_normal((count, beats.people.shape[1]))
    return [beats.strip(3.0 * row) for row in coefficients]


@pytest.mark.long_form
def test_odd_heartbeats_let_no_stranger_in(attacked_anew: Api, crowd: Crowd, data_dir) -> None:
    key = attacked_anew.new_key(Scope.ENROLL)
    for number, strip in enumerate(odd_strips(PublicBeats.read(data_dir), JUNK)):
        attacked_anew.post("/enroll", enrollment(f"odd-{number}", [recording(strip, FS_HZ)]), key=key)

    false = sum(
        matches(verify(attacked_anew, claimed.name, [recording(stranger.first)]))
        for stranger in crowd.strangers
        for claimed in crowd.enrolled[:CLAIMED]
    )

    stored = attacked_anew.get("/galleries/default").json()["subjects"] - len(crowd.enrolled)
    sys.stderr.write(f"{stored} odd heartbeats enrolled: {false} of {len(crowd.strangers) * CLAIMED} match\n")
    assert stored >= 0.8 * JUNK
    assert false <= MOST_FALSE
