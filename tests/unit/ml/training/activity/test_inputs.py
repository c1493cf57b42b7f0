import numpy as np

from ml.runtime.ecg.activity.features import FEATURE_NAMES, N_REST
from ml.training.activity.inputs import head_inputs, input_views

N_BY_HAND, SIZE = len(FEATURE_NAMES), 4
DESCRIBED = np.random.default_rng(0).standard_normal((3, N_BY_HAND + SIZE))
REST = np.random.default_rng(1).standard_normal(N_BY_HAND + SIZE)


class TestHeadInputs:
    def test_without_rest_they_are_the_description(self):
        assert head_inputs(DESCRIBED, None) is DESCRIBED

    def test_rest_is_taken_from_the_trunk_and_adds_differences(self):
        found = head_inputs(DESCRIBED, REST)

        by_hand, trunk, differences = np.split(found, [N_BY_HAND, N_BY_HAND + SIZE], axis=1)
        np.testing.assert_array_equal(by_hand, DESCRIBED[:, :N_BY_HAND])
        np.testing.assert_array_equal(trunk, DESCRIBED[:, N_BY_HAND:] - REST[N_BY_HAND:])
        np.testing.assert_array_equal(differences, (DESCRIBED - REST)[:, :N_REST])

    def test_each_window_may_have_its_own_baseline(self):
        rests = np.stack([REST, 2.0 * REST, REST])

        found = head_inputs(DESCRIBED, rests)

        np.testing.assert_array_equal(found[1], head_inputs(DESCRIBED[1:2], 2.0 * REST)[0])


class TestInputViews:
    def test_hand_and_trunk_are_apart_and_leave_nothing_out(self):
        for own_rest, rest in ((False, None), (True, REST)):
            by_hand, trunk = (view.columns for view in input_views(N_BY_HAND + SIZE, own_rest=own_rest))

            n_inputs = head_inputs(DESCRIBED, rest).shape[1]
            assert sorted([*by_hand, *trunk]) == list(range(n_inputs))
            assert trunk.tolist() == list(range(N_BY_HAND, N_BY_HAND + SIZE))

    def test_without_a_trunk_there_is_one_view(self):
        [only] = input_views(N_BY_HAND, own_rest=True)

        assert only.columns.tolist() == list(range(N_BY_HAND + N_REST))
        assert only.share == 1.0
