import numpy as np
import pytest

from ml.metrics.error_rates import eer
from ml.metrics.intervals import (
    Interval,
    eer_bootstrap,
    pair_share_bootstrap,
    share_bootstrap,
    subject_bootstrap,
    wilson,
)


class TestWilson:
    def test_known_values(self) -> None:
        # Newcombe 1998, table I: 81 of 263 and 15 of 148.
        assert wilson(81, 263).to_list() == pytest.approx([0.2553, 0.3662], abs=1e-4)
        assert wilson(15, 148).to_list() == pytest.approx([0.0624, 0.1605], abs=1e-4)

    def test_extremes_touch_the_ends(self) -> None:
        assert wilson(0, 89).low == 0.0
        assert wilson(89, 89).high == 1.0
        assert wilson(0, 89).high == pytest.approx(0.0414, abs=1e-4)

    @pytest.mark.parametrize(("count", "n"), [(-1, 5), (6, 5), (0, 0)])
    def test_impossible_counts_are_refused(self, count: int, n: int) -> None:
        with pytest.raises(ValueError, match="expected 0 ≤ count ≤ n"):
            wilson(count, n)


class TestSubjectBootstrap:
    def test_interval_of_a_mean_has_the_textbook_width(self) -> None:
        values = np.random.default_rng(0).normal(size=400)

        found = subject_bootstrap(lambda w: float(w @ values / w.sum()), 400, replicates=2000)

        half = 1.96 * values.std() / np.sqrt(400)
        assert found.low == pytest.approx(values.mean() - half, abs=0.02)
        assert found.high == pytest.approx(values.mean() + half, abs=0.02)

    def test_same_seed_same_interval(self) -> None:
        values = np.arange(20.0)

        one, other = (subject_bootstrap(lambda w: float(w @ values), 20) for _ in range(2))

        assert one == other

    def test_undefined_everywhere_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="undefined"):
            subject_bootstrap(lambda _: float("nan"), 3, replicates=5)


class TestShareBootstrap:
    @pytest.mark.parametrize("all_hit", [False, True])
    def test_probes_that_all_agree_are_no_certainty(self, all_hit: bool) -> None:
        people = np.repeat(np.arange(20), 3)

        found = share_bootstrap(np.full(60, all_hit), people)

        assert found == wilson(20 if all_hit else 0, 20)

    def test_probes_of_one_person_stay_together(self) -> None:
        # Ten people, a hundred probes each: all of a person's probes fail or none.
        people = np.repeat(np.arange(10), 100)
        hits = people < 3

        found = share_bootstrap(hits, people)

        assert found.high - found.low > 0.3  # As for 10 people, not for 1 000 independent probes.


class TestPairShareBootstrap:
    def test_equals_the_slow_one(self) -> None:
        first, second = np.triu_indices(12, 1)
        hits = (first + second) % 5 == 0

        found = pair_share_bootstrap(hits, first, second, replicates=50, seed=3)

        draws, slow = np.random.default_rng(3), []
        for _ in range(50):
            drawn = draws.integers(0, 12, size=12)
            weight = [int(np.sum(drawn == k)) for k in range(12)]
            total = sum(weight[i] * weight[j] for i, j in zip(first, second, strict=True))
            above = sum(weight[i] * weight[j] for i, j, h in zip(first, second, hits, strict=True) if h)
            slow.append(above / total)
        assert found.to_list() == pytest.approx(np.quantile(slow, [0.025, 0.975]).tolist())

    def test_one_wolf_widens_it(self) -> None:
        first, second = np.triu_indices(40, 1)
        wolf = (first == 0).astype(bool)
        spread = np.zeros(first.size, dtype=bool)
        spread[:: first.size // int(wolf.sum())] = True

        narrow = pair_share_bootstrap(spread, first, second)
        wide = pair_share_bootstrap(wolf, first, second)

        assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


class TestEerBootstrap:
    def test_contains_the_point_and_shrinks_with_people(self) -> None:
        widths = []
        for people in (30, 300):
            rng = np.random.default_rng(1)
            mated = rng.normal(2.0, 1.0, people)
            first, second = np.nonzero(~np.eye(people, dtype=bool))
            non_mated = rng.normal(0.0, 1.0, first.size)

            found = eer_bootstrap((mated, np.arange(people)), (non_mated, first, second), replicates=100)

            assert found.low <= eer(mated, non_mated) <= found.high
            widths.append(found.high - found.low)
        assert widths[1] < 0.6 * widths[0]

    def test_failures_are_allowed(self) -> None:
        first, second = np.nonzero(~np.eye(20, dtype=bool))
        mated = np.full(20, 5.0)
        mated[0] = -np.inf

        found = eer_bootstrap((mated, np.arange(20)), (np.zeros(first.size), first, second), replicates=50)

        assert isinstance(found, Interval)
        assert 0.0 <= found.low <= found.high <= 0.3
