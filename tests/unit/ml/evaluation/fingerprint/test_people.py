import numpy as np

from ml.evaluation.fingerprint.people import people_of_prints
from ml.runtime.encoder import load_bundle
from ml.training.fingerprint.impressions import extract_computed
from tests.shipped_models import MODELS


def test_the_first_usable_impression_is_enrolled_and_all_others_are_probes(tmp_path):
    encoder = load_bundle(MODELS / "fingerprint@2026.12")
    prints = extract_computed(3, tmp_path)

    found = people_of_prints(prints, encoder.calibration, encoder.preparation.comparer())

    usable = sum(one.written is not None for one in prints)
    assert found.comparisons.llr_db.shape == (usable - 3, 3)
    own = found.comparisons.llr_db[np.arange(usable - 3), found.comparisons.own_column]
    assert np.median(own) > np.median(found.comparisons.llr_db[found.comparisons.compared_non_mated])
    assert np.isfinite(found.own_llr_db[~np.eye(3, dtype=bool)]).all()
