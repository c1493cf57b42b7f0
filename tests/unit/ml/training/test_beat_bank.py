import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.runtime.ecg.mean_beat import MeanBeatConfig  # noqa: E402
from ml.training.beat_augmentation import BeatAugmentation  # noqa: E402
from ml.training.beat_bank import MARGIN_SAMPLES, beat_bank  # noqa: E402
from ml.training.network_data import beat_of  # noqa: E402
from ml.training.network_recipe import BeatAugmentationConfig  # noqa: E402
from tests.unit.ml.training.banks import steady_strip  # noqa: E402

CONFIG = MeanBeatConfig()
# Positive at the fiducial point: all these strips are upright.
POLARITY = np.eye(CONFIG.n_samples)[round(CONFIG.before_s * CONFIG.fs_hz)]
STILL = BeatAugmentationConfig(
    t_stretch_sd=0.0,
    pr_stretch_sd=0.0,
    jitter_s=0.0,
    repolarisation_sd=0.0,
    equaliser_db=0.0,
    high_pass_share=0.0,
    low_pass_share=0.0,
    noise_share=0.0,
)


def two_people():
    return [steady_strip("b", 20.0), steady_strip("a", 24.0, t_mv=-0.1)]


def views(config, strips, parts):
    source = BeatAugmentation(
        beat_bank(two_people(), POLARITY, CONFIG), config, torch.Generator().manual_seed(1)
    )
    return source.draw(torch.tensor(strips), torch.tensor(parts)).numpy()


def correlation(one, other):
    return float(np.corrcoef(one, other)[0, 1])


class TestBeatBank:
    def test_strips_of_too_few_beats_are_left_out(self):
        bank = beat_bank([*two_people(), steady_strip("c", 4.0)], POLARITY, CONFIG)

        assert bank.names == ("a", "b")
        assert bank.people.tolist() == [1, 0]

    def test_nobody_with_enough_beats_is_an_error(self):
        with pytest.raises(ValueError, match="enough clear beats"):
            beat_bank([steady_strip("c", 4.0)], POLARITY, CONFIG)

    def test_means_of_runs_are_means_of_the_beats(self):
        bank = beat_bank(two_people(), POLARITY, CONFIG)
        beats = np.diff(bank.sums.numpy(), axis=0)

        found = bank.means(torch.tensor([0, 5]), torch.tensor([4, 3])).numpy()

        np.testing.assert_allclose(found, [beats[:4].mean(axis=0), beats[5:8].mean(axis=0)], atol=1e-5)

    def test_an_inverted_strip_is_turned_upright(self):
        strip = steady_strip("a", 20.0)
        inverted = steady_strip("a", 20.0)
        inverted.ecg[:] = -inverted.ecg

        one, other = (beat_bank([s], POLARITY, CONFIG).sums for s in (strip, inverted))

        np.testing.assert_allclose(one, other, atol=1e-9)


class TestBeatAugmentation:
    def test_without_variation_it_is_the_beat_that_is_served(self):
        served = beat_of(steady_strip("b", 20.0), CONFIG)

        for part in (0, 1, 2):
            assert correlation(views(STILL, [0], [part])[0], served) > 0.995

    def test_beats_are_standardized(self):
        made = views(BeatAugmentationConfig(), [0, 1] * 50, [0, 2] * 50)

        assert made.shape == (100, CONFIG.n_samples)
        np.testing.assert_allclose(made.mean(axis=1), 0.0, atol=1e-5)
        np.testing.assert_allclose(made.std(axis=1), 1.0, atol=1e-4)

    def test_a_larger_t_wave_leaves_the_qrs_alone(self):
        config = BeatAugmentationConfig(**{**STILL.__dict__, "repolarisation_sd": 0.5})
        made = views(config, [0] * 40, [0] * 40)
        fiducial = round(CONFIG.before_s * CONFIG.fs_hz)

        # Each beat is standardized, so sizes are reported relative to the QRS.
        qrs = made[:, fiducial - 6 : fiducial + 7]
        alike = [correlation(piece, qrs[0]) for piece in qrs]
        t_size = made[:, fiducial + 25 : fiducial + 45].max(axis=1) / np.ptp(qrs, axis=1)
        assert min(alike) > 0.99
        assert np.log(t_size).std() > 0.2

    def test_margins_are_cut_off_behind_the_channel(self):
        bank = beat_bank(two_people(), POLARITY, CONFIG)

        assert bank.sums.shape[1] == CONFIG.n_samples + 2 * MARGIN_SAMPLES
        assert views(STILL, [0], [0]).shape == (1, CONFIG.n_samples)
