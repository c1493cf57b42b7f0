from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.models.beat_net import BeatNet, BeatNetConfig  # noqa: E402
from ml.models.strip_encoder import LinearMap, StripEncoder, StripParts  # noqa: E402
from tests.networks import EMBEDDING, N_BEAT, small_network, small_parts, strip_inputs  # noqa: E402


def encode(parts, windows, beat):
    with torch.no_grad():
        return StripEncoder(small_network(), parts)(torch.from_numpy(windows), torch.from_numpy(beat)).numpy()


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def embeddings(windows):
    with torch.no_grad():
        return small_network()(torch.from_numpy(windows)).embedding.numpy().astype(np.float64)


def upright(parts, windows, beat):
    return -windows if (beat @ parts.polarity)[0] < 0.0 else windows


class TestVector:
    """Slowly, in numpy: what the graph has to compute."""

    @pytest.mark.parametrize("seed", [0, 5])  # An inverted beat and an upright one.
    def test_is_both_branches_side_by_side_under_their_weights(self, seed):
        parts = small_parts(window_weight=0.6)
        windows, beat = strip_inputs(5, seed)
        pooled = unit(embeddings(upright(parts, windows, beat))).mean(axis=0)

        of_windows = unit((pooled - parts.window_map.center) @ parts.window_map.projection)
        of_beat = parts.beat_lda.vectors(beat)[0]

        expected = np.concatenate([np.sqrt(0.6) * of_windows, np.sqrt(0.4) * of_beat])
        np.testing.assert_allclose(encode(parts, windows, beat)[0], expected, atol=1e-5)

    def test_both_signs_of_a_strip_occur_in_these_tests(self):
        parts = small_parts()

        signs = {float(np.sign(strip_inputs(1, seed)[1] @ parts.polarity)[0]) for seed in (0, 5)}

        assert signs == {-1.0, 1.0}

    def test_maps_behind_beat_and_both_are_applied(self):
        rng = np.random.default_rng(4)
        parts = small_parts(window_weight=0.5)
        beat_map = LinearMap(0.1 * rng.standard_normal(8), rng.standard_normal((8, 6)))
        joint_map = LinearMap(0.1 * rng.standard_normal(18), rng.standard_normal((18, 7)))
        windows, beat = strip_inputs(3)
        branches = encode(parts, windows, beat)[0]

        of_beat = unit(beat_map(np.sqrt(2.0) * branches[None, 12:]))[0]
        joined = np.concatenate([branches[:12], np.sqrt(0.5) * of_beat])

        found = encode(replace(parts, beat_map=beat_map, joint_map=joint_map), windows, beat)[0]
        np.testing.assert_allclose(found, unit(joint_map(joined[None]))[0], atol=1e-5)

    @pytest.mark.parametrize("seed", [0, 5])
    def test_a_beat_network_takes_the_place_of_the_discriminant_axes(self, seed):
        beat_network = BeatNet(BeatNetConfig(n_samples=N_BEAT, widths=(4, 4), embedding_size=6)).eval()
        parts = small_parts(window_weight=0.6)
        windows, beat = strip_inputs(5, seed)
        with torch.no_grad():
            encoder = StripEncoder(small_network(), parts, beat_network)
            found = encoder(torch.from_numpy(windows), torch.from_numpy(beat))[0].numpy()
            read = torch.from_numpy(upright(parts, beat, beat))
            of_beat = beat_network(read).embedding[0].numpy()

        np.testing.assert_allclose(found[:12], encode(parts, windows, beat)[0, :12], atol=1e-6)
        np.testing.assert_allclose(found[12:], np.sqrt(0.4) * unit(of_beat), atol=1e-5)

    def test_both_polarities_embed_the_mean_of_a_window_and_its_negative(self):
        parts = StripParts(polarity=small_parts().polarity, both_polarities=True)
        windows, beat = strip_inputs(4)

        each = unit((embeddings(windows) + embeddings(-windows)) / 2)

        np.testing.assert_allclose(encode(parts, windows, beat)[0], unit(each.mean(axis=0)), atol=1e-5)

    def test_a_branch_without_weight_is_left_out(self):
        windows, beat = strip_inputs(4)

        beat_alone = encode(small_parts(window_weight=0.0), windows, beat)
        windows_alone = encode(small_parts(window_weight=1.0), windows, beat)

        np.testing.assert_allclose(beat_alone, small_parts().beat_lda.vectors(beat), atol=1e-5)
        assert windows_alone.shape == (1, 12)

    @pytest.mark.parametrize("both_polarities", [False, True])
    def test_an_inverted_strip_gives_the_same_bits(self, both_polarities):
        parts = small_parts(both_polarities=both_polarities)
        windows, beat = strip_inputs(5)

        np.testing.assert_array_equal(encode(parts, -windows, -beat), encode(parts, windows, beat))

    def test_has_unit_norm(self):
        windows, beat = strip_inputs(5)

        assert np.linalg.norm(encode(small_parts(), windows, beat)) == pytest.approx(1.0, abs=1e-6)


class TestStripParts:
    @pytest.mark.parametrize("weight", [-0.1, 1.1])
    def test_a_weight_outside_0_to_1_is_refused(self, weight):
        with pytest.raises(ValueError, match="window_weight"):
            small_parts(window_weight=weight)

    def test_a_beat_that_weighs_needs_its_encoder(self):
        parts = StripParts(polarity=np.ones(N_BEAT), window_weight=0.5)

        with pytest.raises(ValueError, match="needs a beat_lda or a beat network"):
            StripEncoder(small_network(), parts)


class TestLinearMap:
    def test_a_projection_of_other_size_is_refused(self):
        with pytest.raises(ValueError, match=f"expected {EMBEDDING} rows, found 3"):
            LinearMap(np.zeros(EMBEDDING), np.zeros((3, 2)))

    def test_without_projection_it_only_centers(self):
        np.testing.assert_array_equal(LinearMap(np.array([1.0, 2.0]))(np.array([[3.0, 3.0]])), [[2.0, 1.0]])
