from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.models.features import Features  # noqa: E402
from ml.training.monitor import DevelopmentSet, development_set, strip_embeddings  # noqa: E402
from tests.unit.ml.training.banks import steady_strip  # noqa: E402


class Given(torch.nn.Module):
    """Takes windows for embeddings."""

    def forward(self, windows):
        return Features(windows)


def slow_eer(mated, non_mated):
    """Where the straight lines between the points of the two step curves cross, in percent."""
    points = [
        (np.mean(np.array(non_mated) >= t), np.mean(np.array(mated) < t))
        for t in [*sorted({*mated, *non_mated}), np.inf]
    ]
    for (fmr, fnmr), (next_fmr, next_fnmr) in pairwise(points):
        if fnmr <= fmr and next_fnmr >= next_fmr:
            gap, next_gap = fnmr - fmr, next_fnmr - next_fmr
            share = 0.0 if next_gap == gap else -gap / (next_gap - gap)
            return 100 * (fnmr + share * (next_fnmr - fnmr))
    raise AssertionError("the curves do not cross")


class TestFigures:
    def embedded(self, n=12, noise=0.8, failures=0):
        """References and probes of n people, three windows each."""
        rng = np.random.default_rng(2)
        centers = np.tile(rng.standard_normal((n, 5)), (2, 1)) + noise * rng.standard_normal((2 * n, 5))
        windows = np.repeat(centers, 3, axis=0) + 0.1 * rng.standard_normal((6 * n, 5))
        return DevelopmentSet(
            torch.from_numpy(windows).float(), torch.arange(2 * n).repeat_interleave(3), n, failures
        )

    @pytest.mark.parametrize("failures", [0, 1, 5])
    def test_agree_with_a_slow_computation(self, failures):
        people = self.embedded(failures=failures)

        found = people.figures(Given())

        units = [w / np.linalg.norm(w) for w in people.windows.numpy().astype(np.float64)]
        templates = [sum(units[3 * i : 3 * i + 3]) for i in range(24)]
        templates = [t / np.linalg.norm(t) for t in templates]
        cosine = [[float(probe @ reference) for reference in templates[:12]] for probe in templates[12:]]
        mated = [cosine[i][i] for i in range(12)] + [-np.inf] * failures
        non_mated = [cosine[i][j] for i in range(12) for j in range(12) if i != j]
        missed = sum(max(row) > row[i] for i, row in enumerate(cosine)) + failures
        assert 0 < missed < 12 + failures
        assert found["d1_dev_eer"] == pytest.approx(slow_eer(mated, non_mated), abs=0.002)
        assert found["d1_dev_missed"] == pytest.approx(100 * missed / (12 + failures), abs=0.001)

    def test_of_people_who_are_clearly_apart_are_zero(self):
        found = self.embedded(noise=0.0).figures(Given())

        assert found == {"d1_dev_eer": 0.0, "d1_dev_missed": 0.0}


class TestStripEmbeddings:
    def test_are_unit_means_of_unit_embeddings(self):
        windows = torch.tensor([[3.0, 0.0], [0.0, 0.1], [0.0, -5.0]])

        found = strip_embeddings(Given(), windows, torch.tensor([0, 0, 1]))

        torch.testing.assert_close(found, torch.tensor([[0.5**0.5, 0.5**0.5], [0.0, -1.0]]))

    def test_do_not_depend_on_how_windows_are_batched(self):
        windows = torch.randn(1100, 4, generator=torch.Generator().manual_seed(1))
        strip = torch.arange(1100) // 11

        found = strip_embeddings(Given(), windows, strip)

        units = torch.nn.functional.normalize(windows, dim=1).reshape(100, 11, 4)
        torch.testing.assert_close(found, torch.nn.functional.normalize(units.sum(dim=1), dim=1))

    @pytest.mark.gpu
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
    def test_come_back_from_the_device_of_the_network(self):
        network = torch.nn.Sequential(torch.nn.Linear(2, 2), Given()).to("cuda")

        found = strip_embeddings(network, torch.randn(3, 2), torch.tensor([0, 0, 1]))

        assert found.device.type == "cpu"


class TestDevelopmentSet:
    def read(self, strip):
        """As many rows as its name says."""
        n = int(strip.subject_id)
        return np.full((n, 3), n, dtype=np.float32) if n else None

    def test_references_come_first_then_probes_in_the_same_order(self):
        strips = [steady_strip(name) for name in ("1", "2", "3", "1")]

        found = development_set(strips, self.read)

        assert found.windows[:, 0].tolist() == [1, 3, 3, 3, 2, 2, 1]
        assert found.strip.tolist() == [0, 1, 1, 1, 2, 2, 3]
        assert (found.pairs, found.failures) == (2, 0)

    def test_a_pair_with_a_side_that_cannot_be_read_is_a_failure(self):
        strips = [steady_strip(name) for name in ("1", "0", "0", "2", "3", "2", "1", "1")]
        strips[-1] = replace(strips[-1], seconds=0.0, ecg=np.empty(0, dtype=np.float32))

        found = development_set(strips, self.read)

        assert found.windows[:, 0].tolist() == [3, 3, 3, 2, 2]
        assert (found.pairs, found.failures) == (1, 3)

    def test_when_nothing_can_be_read_it_says_so(self):
        with pytest.raises(ValueError, match="no pair"):
            development_set([steady_strip("0"), steady_strip("1")], self.read)

    def test_half_a_pair_is_an_error(self):
        with pytest.raises(ValueError, match="shorter"):
            development_set([steady_strip("1")], self.read)
