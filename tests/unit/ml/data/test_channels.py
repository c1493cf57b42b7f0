from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.data.channels import random_channels  # noqa: E402
from ml.training.network_recipe import AugmentationConfig  # noqa: E402

HZ = torch.fft.rfftfreq(512, 1.0 / 125.0)
OFF = AugmentationConfig(equaliser_db=0.0, high_pass_share=0.0, low_pass_share=0.0)


def responses(config, n=400):
    return random_channels(n, HZ, config, torch.Generator().manual_seed(3)).numpy()


class TestRandomChannels:
    def test_nothing_switched_on_changes_nothing(self):
        np.testing.assert_array_equal(responses(OFF), 1.0)

    def test_the_level_between_the_shelves_ends_is_the_sum_of_both_gains_at_most(self):
        size_db = 20.0 * np.log10(np.abs(responses(replace(OFF, equaliser_db=6.0))[:, 1:]))

        assert np.abs(size_db).max() <= 12.0
        assert np.abs(size_db[:, -1]).max() > 6.0  # Both shelves lie below the highest frequency.
        assert np.abs(size_db[:, 0]).max() < 2.0  # And hardly reach the lowest.

    def test_a_high_pass_blocks_the_constant_for_its_share_of_channels(self):
        passed = responses(replace(OFF, high_pass_share=0.5))

        blocked = np.abs(passed[:, 0]) == 0.0
        assert 0.4 < blocked.mean() < 0.6
        np.testing.assert_array_equal(passed[~blocked], 1.0)

    def test_corners_of_the_low_pass_lie_within_the_limits(self):
        size = np.abs(responses(replace(OFF, low_pass_share=1.0, low_pass_hz=(20.0, 40.0))))

        halved_hz = HZ.numpy()[np.argmax(size < 0.5, axis=1)]  # A second-order corner is at a half.
        assert halved_hz.min() >= 20.0
        assert halved_hz.max() <= 40.5

    def test_the_same_generator_gives_the_same_channels(self):
        np.testing.assert_array_equal(responses(AugmentationConfig()), responses(AugmentationConfig()))
