from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.runtime.ecg.mean_beat import MeanBeatConfig  # noqa: E402
from ml.training.network_data import beat_of, training_bank, training_noise, upright_sign  # noqa: E402
from tests.unit.ml.training.banks import steady_strip  # noqa: E402
from tests.unit.ml.training.cinc_folder import write_cinc  # noqa: E402

BEAT = MeanBeatConfig()


def inverted(strip):
    return replace(strip, ecg=-strip.ecg)


@pytest.fixture
def polarity():
    """Positive where the beat is like that of an upright strip."""
    return beat_of(steady_strip(), BEAT).astype(np.float64)


class TestUprightSign:
    def test_follows_the_functional(self, polarity):
        strip = steady_strip(t_mv=0.1)

        assert upright_sign(strip, polarity, BEAT) == 1.0
        assert upright_sign(inverted(strip), polarity, BEAT) == -1.0

    def test_without_beats_it_is_one(self, polarity):
        strip = replace(steady_strip(), r_peaks=np.empty(0, dtype=np.int64))

        assert upright_sign(strip, polarity, BEAT) == 1.0

    def test_an_empty_strip_has_no_beat(self):
        strip = replace(steady_strip(), ecg=np.empty(0, np.float32), r_peaks=np.empty(0, np.int64))

        assert beat_of(strip, BEAT) is None


class TestTrainingBank:
    def test_all_strips_stand_upright(self, polarity):
        strip = steady_strip()

        bank = training_bank([strip, inverted(replace(strip, subject_id="b"))], polarity, BEAT)

        half = len(bank.ecg) // 2
        torch.testing.assert_close(bank.ecg[half:], bank.ecg[:half], rtol=0, atol=0)
        assert bank.ecg.max() > -bank.ecg.min()

    def test_strips_without_room_for_crops_are_left_out(self, polarity):
        bank = training_bank([steady_strip("a", seconds=5.7), steady_strip("b", seconds=5.8)], polarity, BEAT)

        assert bank.names == ("b",)


class TestTrainingNoise:
    def test_is_what_experts_could_not_read_at_about_unit_size(self, tmp_path):
        write_cinc(tmp_path, {"train": 5, "dev": 1}, seconds=10.0, noisy=2)

        noise = training_noise(tmp_path, tmp_path / "cache")

        assert noise.dtype == torch.float32
        assert noise.shape == (2500,)  # Two times 10 s at 125 Hz.
        assert noise.abs().max() <= 4.0
        assert 0.3 < float(noise.std()) < 0.7

    def test_the_second_time_comes_from_the_cache(self, tmp_path):
        write_cinc(tmp_path, {"train": 2}, seconds=10.0)
        first = training_noise(tmp_path, tmp_path / "cache")

        second = training_noise(tmp_path / "nowhere", tmp_path / "cache")

        assert torch.equal(first, second)
        assert len(list((tmp_path / "cache").iterdir())) == 1  # No draft is left.
