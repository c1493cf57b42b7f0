"""Whatever holds no heart is refused, and computed hearts are not."""

import numpy as np
import pytest

from ml.runtime.bundle import default_bundle
from ml.runtime.ecg.raw_ecg import RawEcg
from ml.runtime.ecg.signal.conditioning import condition, examine, examine_for_identity, features_of
from ml.runtime.ecg.signal.errors import SignalError
from ml.runtime.ecg.signal.heart_index import heart_index
from ml.runtime.encoder import load_bundle
from ml.runtime.evidence import EvidenceArray
from ml.synthetic.ecg import SyntheticPerson
from ml.synthetic.no_heart.species import FS_HZ, SPECIES, draw
from ml.synthetic.unusual_hearts import draw_unusual_heart
from tests.shipped_models import MODELS

FIXED_SEEDS = range(3)
MEMBERS_PER_SPECIES = 40
MOST_ACCEPTED = 0.005


def is_accepted(ecg: np.ndarray, fs_hz: float) -> bool:
    try:
        condition(ecg, fs_hz)
    except SignalError:
        return False
    return True


@pytest.mark.parametrize("species", SPECIES)
@pytest.mark.parametrize("seed", FIXED_SEEDS)
def test_no_member_of_a_fixed_seed_is_accepted(species, seed):
    for fs_hz, seconds in ((250.0, 10.0), (500.0, 20.0), (125.0, 5.0)):
        assert not is_accepted(draw(species, seed, seconds, fs_hz), fs_hz)


@pytest.fixture(scope="module")
def accepted_members():
    """Members of any seed, rate and length that are accepted, as the encoder would get them."""
    found = []
    for seed in range(5000, 5000 + MEMBERS_PER_SPECIES):
        rng = np.random.default_rng(seed)
        for species in SPECIES:
            fs_hz, seconds = float(rng.choice(FS_HZ)), float(rng.choice([5.0, 10.0, 20.0]))
            ecg = draw(species, seed, seconds, fs_hz)
            if is_accepted(ecg, fs_hz):
                found.append((species, RawEcg(ecg, fs_hz)))
    return found


def test_hardly_any_member_is_accepted(accepted_members):
    assert len(accepted_members) <= MOST_ACCEPTED * MEMBERS_PER_SPECIES * len(SPECIES)


def test_no_two_members_match(accepted_members):
    encoder = load_bundle(default_bundle(MODELS, "ecg"))
    encodings = [encoder.encode(capture) for _, capture in accepted_members]
    vectors = np.array([one.vector for one in encodings])
    evidence = EvidenceArray.of([one.evidence for one in encodings])
    calibration = encoder.calibration

    scores = calibration.compare(vectors @ vectors.T, evidence[:, None], evidence)
    least_db = min(calibration.null(evidence_class).threshold(1e-3) for evidence_class in range(4))
    others = ~np.eye(len(encodings), dtype=bool)

    assert (calibration.soften_db(scores.llr_db)[others] < least_db).all()


class TestHearts:
    def test_of_computed_people_are_accepted(self):
        hearts = [(SyntheticPerson.draw(person).record(10.0, fs), fs) for person in range(40) for fs in FS_HZ]

        assert sum(not is_accepted(*heart) for heart in hearts) <= 2

    def test_far_from_the_usual_are_accepted(self):
        hearts = [(draw_unusual_heart(seed, 10.0, 250.0), 250.0) for seed in range(200)]

        assert sum(not is_accepted(*heart) for heart in hearts) <= 8


class TestIndex:
    @pytest.mark.parametrize("gain", [-1.0, 1000.0, -0.01])
    def test_neither_gain_nor_polarity_counts(self, gain):
        ecg = SyntheticPerson.draw(1).record(10.0, 250.0).astype(np.float64)

        one, other = (heart_index(features_of(strip, 250.0)) for strip in (ecg, gain * ecg))

        assert one == pytest.approx(other, abs=1e-3)

    def test_is_asked_for_identity_and_not_for_activity(self):
        recoil = draw("ballistocardiogram", 1, 10.0, 250.0)

        refused = examine_for_identity(recoil, 250.0).quality

        assert (refused.accepted_s, refused.reasons) == (0.0, ("no_heartbeat",))
        assert examine(recoil, 250.0).quality.accepted_s > 0.0
