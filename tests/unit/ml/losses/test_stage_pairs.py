import pytest

torch = pytest.importorskip("torch")

from ml.losses.stage_pairs import paired_from_the_end  # noqa: E402


class TestPairedFromTheEnd:
    @pytest.mark.parametrize(
        ("n_student", "n_teacher", "pairs"),
        [
            (3, 4, [(0, 1), (1, 2), (2, 3)]),
            (4, 4, [(0, 0), (1, 1), (2, 2), (3, 3)]),
            (4, 2, [(2, 0), (3, 1)]),
        ],
    )
    def test_last_goes_with_last(self, n_student, n_teacher, pairs):
        assert paired_from_the_end(n_student, n_teacher) == pairs

    def test_nothing_to_pair_is_refused(self):
        with pytest.raises(ValueError, match="0 of the student, 4 of the teacher"):
            paired_from_the_end(0, 4)
