import pytest

torch = pytest.importorskip("torch")

from ml.losses.ignored_pairs import IgnoredPairs  # noqa: E402


class TestIgnoredPairs:
    def test_pairs_of_a_batch_are_found_in_either_order(self):
        ignored = IgnoredPairs(5, [(3, 1)])

        found = ignored(torch.tensor([1, 2, 3]))

        assert found.tolist() == [[False, False, True], [False, False, False], [True, False, False]]

    def test_two_samples_of_one_class_are_no_ignored_pair(self):
        ignored = IgnoredPairs(5, [(3, 1)])

        assert not ignored(torch.tensor([1, 1])).any()

    def test_being_ignored_is_not_inherited(self):
        ignored = IgnoredPairs(3, [(0, 1), (1, 2)])

        assert not ignored(torch.tensor([0, 2])).any()

    def test_a_list_begins_with_the_own_class_and_is_filled_up_with_it(self):
        ignored = IgnoredPairs(4, [(0, 1), (1, 2)])

        assert ignored.of(torch.tensor([0, 1, 3])).tolist() == [[0, 1, 0], [1, 0, 2], [3, 3, 3]]

    def test_groups_ignore_all_pairs_within(self):
        ignored = IgnoredPairs.within_groups([7, 8, 7, 7, 9])

        assert ignored.of(torch.arange(5)).tolist() == [[0, 2, 3], [1, 1, 1], [2, 0, 3], [3, 0, 2], [4, 4, 4]]

    def test_kept_weights_carry_no_pairs(self):
        assert IgnoredPairs(3, [(0, 1)]).state_dict() == {}

    @pytest.mark.parametrize("pair", [(0, 0), (0, 3), (-1, 0)])
    def test_a_pair_that_cannot_be_is_refused(self, pair):
        with pytest.raises(ValueError, match="two different labels below 3"):
            IgnoredPairs(3, [pair])
