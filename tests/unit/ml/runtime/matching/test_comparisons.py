import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.runtime.evidence import IMAGES, SECONDS, Evidence, EvidenceArray
from ml.runtime.matching.comparisons import BestOfPositions, llr_where_compared
from tests.fakes import fake_calibration

# Which subjects a position is known of, and one cosine each; few values, so that some are equal.
OFFERS = st.lists(st.dictionaries(st.integers(0, 6), st.sampled_from([-0.5, 0.0, 0.25, 0.5])), max_size=4)


def evidence(*amounts: float) -> EvidenceArray:
    return EvidenceArray(np.array(amounts), SECONDS, np.full(len(amounts), 0.9))


def offered(offers: list[dict[int, float]]) -> BestOfPositions:
    """The probe shows 1, 2, … s in the first, second, … offer; subject s was enrolled with 10 s + s."""
    best = BestOfPositions(SECONDS)
    for number, cosines in enumerate(offers, start=1):
        slots = np.array(sorted(cosines), dtype=np.int64)
        enrolled = evidence(*(10.0 * number + slots))
        cosine = np.array([cosines[slot] for slot in slots.tolist()], dtype=np.float32)
        best.offer(slots, cosine, Evidence(float(number), SECONDS, 0.9), enrolled)
    return best


class TestBestOfPositions:
    @given(OFFERS)
    def test_the_largest_cosine_counts_and_the_first_of_equal_ones(self, offers):
        found = offered(offers).found()

        assert found.slots.tolist() == sorted(set().union(*offers))
        for row, slot in enumerate(found.slots.tolist()):
            known = [(cosines[slot], -number) for number, cosines in enumerate(offers, 1) if slot in cosines]
            largest, first = max(known)
            assert found.cosine[row] == largest
            assert found.compared[row] == len(known)
            assert found.probe.amount[row] == -first
            assert found.enrolled.amount[row] == 10.0 * -first + slot

    def test_evidence_in_another_unit_is_refused(self):
        with pytest.raises(ValueError, match="expected evidence in images"):
            BestOfPositions(IMAGES).offer(
                np.array([1]), np.array([0.5]), Evidence(5.0, SECONDS, 0.9), evidence(5.0)
            )


class TestLlrWhereCompared:
    def test_what_was_not_compared_has_no_score_and_all_have_a_class(self):
        llr_db, classes = llr_where_compared(
            fake_calibration(),
            [[0.5, np.nan], [np.nan, 0.7]],
            evidence(4.0, 20.0)[:, None],
            evidence(20.0, 6.0),
        )

        assert np.isnan(llr_db).tolist() == [[False, True], [True, False]]
        assert llr_db[0, 0] == pytest.approx(float(fake_calibration().llr_db(0.5, 4.0, 0.9)))
        assert classes.tolist() == [[0, 0], [3, 1]]
