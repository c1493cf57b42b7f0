import pytest

torch = pytest.importorskip("torch")

from ml.models.beat_net import BeatNet, BeatNetConfig  # noqa: E402

SMALL = BeatNetConfig(n_samples=40, widths=(4, 8), embedding_size=6)


def network():
    torch.manual_seed(0)
    return BeatNet(SMALL).eval()


class TestBeatNet:
    def test_a_beat_becomes_an_embedding_and_a_map_per_stage(self):
        features = network()(torch.randn(3, 40))

        assert features.embedding.shape == (3, 6)
        assert [stage.shape for stage in features.stages] == [(3, 4, 20), (3, 8, 10)]

    def test_odd_lengths_are_taken(self):
        odd = BeatNet(BeatNetConfig(n_samples=87, widths=(4, 8, 8), embedding_size=6)).eval()

        assert odd(torch.randn(2, 87)).embedding.shape == (2, 6)

    def test_when_something_happens_matters(self):
        beat = torch.zeros(1, 40)
        beat[0, 10] = 1.0

        with torch.no_grad():
            here, later = (network()(b).embedding for b in (beat, torch.roll(beat, 8, dims=1)))

        assert not torch.allclose(here, later, atol=1e-3)

    def test_other_beats_of_the_batch_do_not_matter(self):
        beats = torch.randn(4, 40)

        with torch.no_grad():
            together, alone = network()(beats).embedding[:1], network()(beats[:1]).embedding

        torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)

    def test_an_even_kernel_is_refused(self):
        with pytest.raises(ValueError, match="odd"):
            BeatNetConfig(kernel=4)
