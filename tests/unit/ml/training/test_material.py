import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.runtime.ecg.mean_beat import MeanBeatConfig  # noqa: E402
from ml.training.material import beat_material, window_material  # noqa: E402
from ml.training.network_data import beat_of  # noqa: E402
from ml.training.network_recipe import AugmentationConfig, BeatAugmentationConfig  # noqa: E402
from tests.unit.ml.training.banks import steady_strip  # noqa: E402

BEAT = MeanBeatConfig()
STRIPS = [steady_strip(name, t_mv=t_mv) for name, t_mv in (("c", 0.1), ("a", 0.3), ("b", -0.2), ("a", 0.3))]


def of_windows(polarity, **options):
    return window_material(STRIPS, polarity, BEAT, None, AugmentationConfig(), **options)


def of_beats(polarity, **options):
    return beat_material(STRIPS, polarity, BEAT, BeatAugmentationConfig(), **options)


@pytest.fixture
def polarity():
    """Positive where the beat is like that of an upright strip."""
    return beat_of(steady_strip(), BEAT).astype(np.float64)


@pytest.mark.parametrize("material", [of_windows, of_beats])
class TestMaterial:
    def test_people_are_numbered_by_their_names(self, polarity, material, tmp_path):
        training, _ = material(polarity, pairs_file=tmp_path / "none")

        assert training.names == ("a", "b", "c")
        assert training.people.tolist() == [2, 0, 1, 0]
        assert training.n_people == 3

    def test_likely_repeats_are_ignored(self, polarity, material, tmp_path):
        path = tmp_path / "pairs.json"
        path.write_text(json.dumps({"pairs": [["a", "c"], ["a", "somebody else"]]}))

        training, _ = material(polarity, pairs_file=path)

        assert training.ignored_pairs.partners.tolist() == [[0, 2], [1, 1], [2, 0]]

    def test_without_a_file_nobody_is(self, polarity, material, tmp_path):
        training, _ = material(polarity, pairs_file=tmp_path / "none")

        assert training.ignored_pairs is None

    def test_views_are_what_a_strip_is_read_as(self, polarity, material, tmp_path):
        training, read = material(polarity, pairs_file=tmp_path / "none")

        drawn = training.views(torch.Generator()).draw(torch.tensor([0, 1]), torch.tensor([0, 2]))

        assert read(STRIPS[0]).shape[1] == drawn.shape[1]
        upside_down = steady_strip("c", t_mv=0.1)
        np.negative(upside_down.ecg, out=upside_down.ecg)
        np.testing.assert_array_equal(read(upside_down), read(STRIPS[0]))
