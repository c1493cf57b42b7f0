"""The shipped bundles on real people: E2 by plain cosines may not get worse by more than one probe."""

from pathlib import Path

import numpy as np
import pytest

from ml.data.readers import read_ecg_id
from ml.metrics.error_rates import eer
from ml.runtime.ecg.raw_ecg import RawEcg
from ml.runtime.encoder import load_bundle

ROOT = Path(__file__).parents[2]
BUNDLES = sorted((ROOT / "models").glob("ecg*@*"))
# E2, 20 s, by bundle: rank-1 errors of 89 and EER it shipped with.
SHIPPED = {
    "ecg@2026.11.1": (0, 0.0012),
    "ecg-edge@2026.11": (0, 0.0013),
    "ecg-beat@2026.11": (0, 0.0113),
}
ONE_PROBE = 1 / 89

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module", params=BUNDLES, ids=[bundle.name for bundle in BUNDLES])
def encoder(request):
    return load_bundle(request.param)


@pytest.fixture(scope="module")
def strips(data_dir):
    """rec_1 and rec_2 of the 89 people who have both."""
    records = {r.record_id: r for r in read_ecg_id(data_dir / "ecg" / "ecg_id")}
    people = sorted({r.subject_id for r in records.values() if f"{r.subject_id}/rec_2" in records})
    return [tuple(records[f"{person}/rec_{n}"] for n in (1, 2)) for person in people]


@pytest.fixture(scope="module")
def vectors(encoder, strips):
    return tuple(
        np.stack([encoder.encode(RawEcg(pair[side].signal, pair[side].fs_hz)).vector for pair in strips])
        for side in (0, 1)
    )


@pytest.fixture(scope="module")
def cosine(vectors):
    references, probes = vectors
    return references @ probes.T


class TestShippedBundleOnE2:
    def test_there_are_89_people(self, strips):
        assert len(strips) == 89

    def test_rank_1_errors(self, encoder, cosine):
        others = np.where(np.eye(len(cosine), dtype=bool), -np.inf, cosine)

        assert int((others.max(axis=0) >= np.diag(cosine)).sum()) <= SHIPPED[encoder.encoder_id][0] + 1

    def test_equal_error_rate(self, encoder, cosine):
        mated = np.eye(len(cosine), dtype=bool)

        assert eer(cosine[mated], cosine[~mated]) <= SHIPPED[encoder.encoder_id][1] + ONE_PROBE

    def test_inverting_a_probe_changes_no_score(self, encoder, strips, vectors, cosine):
        references, _ = vectors
        inverted = np.stack([encoder.encode(RawEcg(-p.signal, p.fs_hz)).vector for _, p in strips])

        change_db = encoder.calibration.llr_db(
            references @ inverted.T, 20.0, 0.8
        ) - encoder.calibration.llr_db(cosine, 20.0, 0.8)

        assert np.abs(change_db).max() <= 1e-4

    def test_strips_at_another_rate_are_the_same_person(self, encoder, strips, vectors):
        from scipy.signal import resample_poly

        probe = strips[0][1]
        slower = resample_poly(probe.signal.astype(np.float64), 1, 2)

        assert encoder.encode(RawEcg(slower, probe.fs_hz / 2)).vector @ vectors[1][0] > 0.98
