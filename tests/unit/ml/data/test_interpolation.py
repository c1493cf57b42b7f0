import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.data.interpolation import read_between  # noqa: E402

FS_HZ = 125.0
N_SAMPLES = 200


def tones(places, hz):
    """The same tone in two phases, shape (2, n)."""
    phase = 2 * torch.pi * hz / FS_HZ * torch.as_tensor(places, dtype=torch.float64)
    return torch.stack([phase.sin(), phase.cos()]).float()


def by_line(signals, places):
    """What was read before: on the straight line between two samples."""
    left = places.long()
    share = places - left
    return signals.gather(1, left) * (1.0 - share) + signals.gather(1, left + 1) * share


def share_left(read, hz, fraction):
    """Amplitude that is left of a tone, read at one fraction of a sample."""
    places = torch.arange(20, 180) + fraction
    found = read(tones(torch.arange(N_SAMPLES), hz), places.expand(2, -1))
    return float(found.pow(2).sum(dim=0).sqrt().mean())


class TestReadBetween:
    def test_a_tone_of_30_hz_is_kept_where_a_line_loses_27_percent(self):
        assert share_left(by_line, 30.0, 0.5) == pytest.approx(0.73, abs=0.01)
        assert share_left(read_between, 30.0, 0.5) == pytest.approx(1.0, abs=0.005)

    @pytest.mark.parametrize("hz", [0.5, 5.0, 15.0, 25.0, 35.0])
    def test_it_is_the_tone_itself_between_the_samples(self, hz):
        places = torch.linspace(20.0, 180.0, 1234)

        found = read_between(tones(torch.arange(N_SAMPLES), hz), places.expand(2, -1))

        torch.testing.assert_close(found, tones(places, hz), rtol=0, atol=0.007)

    def test_the_top_of_the_band_loses_little(self):
        assert share_left(read_between, 40.0, 0.5) == pytest.approx(0.98, abs=0.01)

    def test_at_whole_samples_it_is_these(self):
        signals = torch.randn(3, N_SAMPLES, generator=torch.Generator().manual_seed(1))
        places = torch.tensor([[0, 1, 77, 199]]).expand(3, -1)

        torch.testing.assert_close(read_between(signals, places.float()), signals.gather(1, places))

    def test_levels_stay_up_to_the_ends_and_beyond(self):
        places = torch.tensor([[-5.0, 0.3, 2.5, 197.6, 198.9, 400.0]])

        found = read_between(torch.full((1, N_SAMPLES), 3.0), places)

        np.testing.assert_allclose(found, 3.0, rtol=1e-6)

    def test_every_signal_has_its_own_places(self):
        signals = torch.arange(20.0).repeat(2, 1)

        found = read_between(signals, torch.tensor([[8.0, 10.0], [9.0, 11.0]]))

        assert found.tolist() == [[8.0, 10.0], [9.0, 11.0]]
