import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.models.beat_lda import BeatLdaConfig  # noqa: E402
from ml.models.features import Features  # noqa: E402
from ml.models.networks import make_network  # noqa: E402
from ml.runtime.ecg.mean_beat import MeanBeatConfig  # noqa: E402
from ml.training.checkpoints import Classes, save_network  # noqa: E402
from ml.training.network_data import beat_of  # noqa: E402
from ml.training.network_recipe import NetworkPlan  # noqa: E402
from ml.training.recipe import BundleNames, Recipe  # noqa: E402
from ml.training.repeat_mining import (  # noqa: E402
    find_repeats,
    first_and_last_third,
    mine_repeats,
    write_repeats,
)
from ml.training.repeat_patients import ignored_repeats  # noqa: E402
from tests.unit.ml.training.banks import steady_strip  # noqa: E402
from tests.unit.ml.training.cinc_folder import write_cinc  # noqa: E402

BEAT = MeanBeatConfig()
BEATS = Recipe(BundleNames("beats", "1", "Apache-2.0"), lda=BeatLdaConfig(dimensions=3))


class Seen(torch.nn.Module):
    """Takes the spectrum of what it is given for an embedding: it does not know where beats are."""

    def forward(self, rows):
        return Features(torch.fft.rfft(rows).abs()[:, 1:])


@pytest.fixture
def polarity():
    return beat_of(steady_strip(), BEAT).astype(np.float64)


def people():
    """Five with T waves of their own; one of them, who holds still, came twice, as p2 and p9."""
    rng = np.random.default_rng(3)
    made = []
    for name, t_mv in {"p9": 0.2, "p2": 0.2, "p1": -0.4, "p3": 0.7, "p4": -0.1, "p5": 0.45}.items():
        strip = steady_strip(name, t_mv=t_mv, seconds=24.0)
        noise_mv = 0.002 if t_mv == 0.2 else 0.02
        noise = noise_mv * rng.standard_normal(strip.ecg.size).astype(np.float32)
        made.append(replace(strip, ecg=strip.ecg + noise))
    return made


class TestFirstAndLastThird:
    def test_are_cut_with_their_marks(self):
        strip = steady_strip(seconds=12.0)
        strip.accepted[:1000] = False

        first, last = first_and_last_third(strip)

        assert (first.ecg.size, last.ecg.size) == (1000, 1000)
        np.testing.assert_array_equal(first.ecg, strip.ecg[:1000])
        np.testing.assert_array_equal(last.ecg, strip.ecg[2000:])
        np.testing.assert_array_equal(last.ecg[last.r_peaks], strip.ecg[strip.r_peaks[strip.r_peaks >= 2000]])
        assert not first.accepted.any()
        assert last.accepted.all()


class TestMineRepeats:
    def test_who_came_twice_is_found(self, polarity):
        mined = mine_repeats(people(), polarity, BEAT, Seen(), Seen())

        assert mined.pairs == [("p2", "p9")]
        assert mined.people == 6

    def test_upside_down_too(self, polarity):
        strips = people()
        strips[0] = replace(strips[0], ecg=-strips[0].ecg)

        assert mine_repeats(strips, polarity, BEAT, Seen(), Seen()).pairs == [("p2", "p9")]

    def test_who_cannot_be_read_at_both_ends_is_left_out(self, polarity):
        strips = people()
        strips[0] = replace(strips[0], r_peaks=strips[0].r_peaks[:5])
        short = steady_strip("short", seconds=8.0)

        mined = mine_repeats([*strips, short], polarity, BEAT, Seen(), Seen())

        assert (mined.pairs, mined.people) == ([], 5)

    def test_a_copy_of_a_strip_does_not_count(self, polarity):
        mined = mine_repeats([*people(), people()[0]], polarity, BEAT, Seen(), Seen())

        assert (mined.pairs, mined.people) == ([("p2", "p9")], 6)

    def test_nobody_is_refused(self, polarity):
        with pytest.raises(ValueError, match="no person"):
            mine_repeats([steady_strip(seconds=8.0)], polarity, BEAT, Seen(), Seen())


PLANS = {
    "of-windows": NetworkPlan("resnet1d", {"widths": (8,), "blocks": (1,), "kernels": (3,)}),
    "of-beats": NetworkPlan("beat_net"),
}


class TestFindRepeats:
    def test_what_was_found_is_kept_with_what_found_it(self, tmp_path):
        write_cinc(tmp_path / "data", {"train": 7})
        for name, plan in PLANS.items():
            state = make_network(plan.name, plan.parameters).state_dict()
            save_network(tmp_path / "var" / "train" / name / "network.pt", plan, state, Classes())
        output = tmp_path / "pairs.json"

        mined = find_repeats(BEATS, tmp_path / "data", tmp_path / "var", output, tuple(PLANS))

        kept = json.loads(output.read_text())
        assert kept["people"] == mined.people == 6  # The noisy one is not one of them.
        assert [tuple(pair) for pair in kept["pairs"]] == mined.pairs
        for name in PLANS:
            weights = (tmp_path / "var" / "train" / name / "network.pt").read_bytes()
            assert kept["networks"][name] == hashlib.sha256(weights).hexdigest()

    def test_without_weights_it_says_so(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="no weights of nobody"):
            find_repeats(BEATS, tmp_path, tmp_path, tmp_path / "pairs.json", ("nobody", "nobody"))


class TestWriteRepeats:
    def test_trainings_read_it(self, tmp_path, polarity):
        mined = mine_repeats(people(), polarity, BEAT, Seen(), Seen())

        write_repeats(tmp_path / "pairs.json", mined, {})

        ignored = ignored_repeats(("p2", "p3", "p9"), tmp_path / "pairs.json")
        assert ignored.of(torch.tensor([0, 1])).tolist() == [[0, 2], [1, 1]]
