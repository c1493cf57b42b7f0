"""The default bundle on people who do not exist, who look more alike to it than real ones."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ml.runtime.ecg.raw_ecg import RawEcg
from ml.runtime.encoder import Encoding, load_bundle
from ml.runtime.matching.gallery_null import fit_gallery_null
from ml.synthetic.ecg import SyntheticPerson

ENCODER = load_bundle(Path(__file__).parents[2] / "models" / "ecg@2026.11.1")


@cache
def encoded(person: int) -> Encoding:
    return ENCODER.encode(RawEcg(SyntheticPerson.draw(person).record(20.0, 250.0), 250.0))


def scores(people: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Everybody against everybody: LLR and evidence class."""
    found = [encoded(person) for person in people]
    vectors = np.stack([one.vector for one in found])
    quality = np.mean([one.evidence.quality for one in found])
    llr_db = ENCODER.calibration.llr_db((vectors @ vectors.T).astype(np.float64), 20.0, quality)
    return llr_db, np.full(llr_db.shape, 3)


@pytest.mark.parametrize("first", range(0, 40, 5))
def test_one_strip_under_four_names_is_one_person(first):
    people = list(range(40))

    found = fit_gallery_null(ENCODER.calibration, *scores([*people, first, first, first]))

    assert found.possible_duplicates.groups == ((first, 40, 41, 42),)
