"""One contract for every index (ports.TemplateIndex, DESIGN §6).

Every engine keeps what it is given, forgets what it should, and never invents an id. Which ids it finds, and
in what order, is exact for the indexes here and only likely for an approximate one, which is a fake here.
Scores of the ties here are exact in float32 (few bits, small sizes): whether equal vectors get equal sums
is otherwise a matter of the order in which a library adds.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.index.exact_index import ExactIndex
from app.adapters.index.faiss_index import FaissIndex
from app.domain.ports.index import IndexKey
from app.domain.references import Modality
from tests.approximate_index import ApproximateIndex

KEY = IndexKey(UUID(int=1), Modality.ECG, "unknown", "fake@1", 1)
OTHER = KEY._replace(transform_version=2)
EXACT = [ExactIndex, FaissIndex]
EVERY_INDEX = [*EXACT, ApproximateIndex]


@pytest.fixture(params=EVERY_INDEX, ids=lambda cls: cls.__name__)
def index(request):
    return request.param()


@pytest.fixture(params=EXACT, ids=lambda cls: cls.__name__)
def exact(request):
    return request.param()


def nearest(index, probe: np.ndarray, k: int, key: IndexKey = KEY):
    """The shortlist of one probe vector."""
    return index.shortlist(key, np.atleast_2d(probe), k)


def everyone(index, key: IndexKey = KEY) -> list[int]:
    """All ids that a search can find, ascending; of vectors of size 4."""
    return sorted(nearest(index, np.ones(4, np.float32), 10**6, key)[0].tolist())


def ids(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def one_hot(*hot: int, size: int = 4) -> np.ndarray:
    return np.eye(size, dtype=np.float32)[list(hot)]


def unit_vectors(n: int, size: int = 128, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, size)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class TestShortlist:
    def test_the_best_come_first(self, exact):
        vectors = unit_vectors(500)
        order = np.random.default_rng(1).permutation(500)
        exact.upsert(KEY, order.astype(np.int64), vectors[order])
        cosines = vectors @ vectors[3]

        found, scores = nearest(exact, vectors[3], 10)

        np.testing.assert_array_equal(found, np.argsort(-cosines)[:10])
        np.testing.assert_allclose(scores, np.sort(cosines)[::-1][:10], atol=1e-6)
        assert (found.dtype, scores.dtype) == (np.int64, np.float32)

    def test_an_approximate_one_finds_nearly_all_of_the_best(self):
        approximate, vectors = ApproximateIndex(), unit_vectors(2000)
        approximate.upsert(KEY, np.arange(2000), vectors)
        best = set(np.argsort(-(vectors @ vectors[3]))[:100].tolist())

        found, _ = nearest(approximate, vectors[3], 100)

        assert 70 < len(best & set(found.tolist())) < 100, "neither blind nor exact"

    def test_ties_go_by_id_also_across_the_cut(self, exact):
        exact.upsert(KEY, ids(9, 5, 7, 1, 3), one_hot(0, 0, 0, 0, 1))

        assert nearest(exact, one_hot(0), 2)[0].tolist() == [1, 5]
        assert nearest(exact, one_hot(0), 4)[0].tolist() == [1, 5, 7, 9]
        assert nearest(exact, one_hot(0), 5)[0].tolist() == [1, 5, 7, 9, 3]
        assert nearest(exact, one_hot(2), 3)[0].tolist() == [1, 3, 5]

    def test_more_than_there_are_gives_what_there_is(self, exact):
        exact.upsert(KEY, ids(4, 2), one_hot(0, 1))

        found, scores = nearest(exact, one_hot(1), 100)

        assert (found.tolist(), scores.tolist()) == ([2, 4], [1.0, 0.0])

    def test_never_more_than_were_wanted_and_each_once(self, index):
        index.upsert(KEY, np.arange(300), unit_vectors(300, 4))

        found, scores = nearest(index, one_hot(0), 20)

        assert len(found) == len(set(found.tolist())) == len(scores) == 20
        assert set(found.tolist()) <= set(range(300))

    def test_what_it_gave_does_not_change_afterwards(self, exact):
        exact.upsert(KEY, ids(1, 2), one_hot(0, 1))
        found, scores = nearest(exact, one_hot(0), 9)

        exact.upsert(KEY, ids(0, 1), one_hot(2, 3))
        exact.remove(KEY, ids(2))

        assert (found.tolist(), scores.tolist()) == ([1, 2], [1.0, 0.0])

    def test_an_unknown_key_finds_nothing(self, index):
        found, scores = nearest(index, one_hot(0), 5)

        assert (found.shape, scores.shape) == ((0,), (0,))

    def test_an_emptied_key_finds_nothing(self, index):
        index.upsert(KEY, ids(1), one_hot(0))
        index.remove(KEY, ids(1))

        assert nearest(index, one_hot(0), 5)[0].tolist() == []
        assert list(index.keys()) == []

    @pytest.mark.parametrize(("k", "best"), [(0, 1), (-1, 1), (1, 0)])
    def test_fewer_than_one_is_refused(self, index, k, best):
        with pytest.raises(ValueError, match="at least 1"):
            index.shortlist(KEY, one_hot(0), k, best)

    def test_a_probe_that_is_a_view_with_strides_is_read_right(self, index):
        index.upsert(KEY, ids(1, 2), one_hot(0, 2))
        strided = np.array([0, 9, 0, 9, 1, 9, 0, 9], np.float64)[::2]

        assert nearest(index, strided, 1)[0].tolist() == [2]


class TestSeveralVectorsPerId:
    """A fingerprint owns dozens of local vectors; an id is found by the best of them, or by several."""

    def test_an_id_scores_its_largest_product(self, index):
        index.upsert(KEY, ids(1, 1, 2, 2, 2), one_hot(0, 1, 2, 2, 3))

        assert nearest(index, one_hot(1), 1)[0].tolist() == [1]
        assert nearest(index, one_hot(3), 1)[0].tolist() == [2]
        assert index.count(KEY) == 2

    def test_of_several_probe_vectors_the_best_pair_counts(self, exact):
        exact.upsert(KEY, ids(1, 1, 2, 3), np.array([[3, 0], [0, 1], [0, 2], [1, 1]], np.float32))

        found, scores = exact.shortlist(KEY, np.eye(2, dtype=np.float32), 3)

        assert (found.tolist(), scores.tolist()) == ([1, 2, 3], [3.0, 2.0, 1.0])

    def test_a_sum_takes_the_best_of_each_probe_vector(self, exact):
        exact.upsert(KEY, ids(1, 1, 2, 3), np.array([[3, 0], [0, 1], [0, 2], [1, 1]], np.float32))

        found, scores = exact.shortlist(KEY, np.eye(2, dtype=np.float32), 3, best=2)
        _, best_only = exact.shortlist(KEY, np.eye(2, dtype=np.float32), 3, best=1)

        assert (found.tolist(), scores.tolist()) == ([1, 2, 3], [4.0, 2.0, 2.0])
        assert best_only.tolist() == [3.0, 2.0, 1.0]

    def test_a_sum_over_more_than_the_probe_has_is_over_all_of_it(self, exact):
        exact.upsert(KEY, ids(1, 2), one_hot(0, 1))

        assert exact.shortlist(KEY, one_hot(0, 1), 2, best=40)[1].tolist() == [1.0, 1.0]

    @pytest.mark.parametrize("best", [1, 10])
    def test_prints_of_local_vectors_are_found_among_many(self, index, best):
        rng = np.random.default_rng(3)
        prints = unit_vectors(200 * 40, 32).reshape(200, 40, 32)
        index.upsert(KEY, np.repeat(np.arange(200), 40), prints.reshape(-1, 32))
        found_first = 0

        for person in range(50):
            probe = prints[person, :30] + 0.1 * rng.standard_normal((30, 32)).astype(np.float32)
            found_first += index.shortlist(KEY, probe, 5, best)[0].tolist()[:1] == [person]

        assert found_first >= 48

    def test_vectors_come_id_by_id(self, index):
        index.upsert(KEY, ids(7, 5, 7), one_hot(0, 1, 2))

        np.testing.assert_array_equal(index.vectors(KEY, ids(5, 7)), one_hot(1, 0, 2))

    def test_fewer_vectors_replace_more_and_more_replace_fewer(self, index):
        index.upsert(KEY, ids(1, 1, 1, 2), one_hot(0, 1, 2, 3))

        index.upsert(KEY, ids(1), one_hot(3))
        np.testing.assert_array_equal(index.vectors(KEY, ids(1, 2)), one_hot(3, 3))

        index.upsert(KEY, ids(1, 2, 1), one_hot(0, 1, 2))
        np.testing.assert_array_equal(index.vectors(KEY, ids(1, 2)), one_hot(0, 2, 1))
        assert index.count(KEY) == 2

    def test_a_removed_id_takes_all_its_vectors_along(self, index):
        index.upsert(KEY, ids(1, 2, 1, 3, 1), one_hot(0, 1, 2, 3, 3))

        index.remove(KEY, ids(1))

        np.testing.assert_array_equal(index.vectors(KEY, ids(2, 3)), one_hot(1, 3))
        assert sorted(nearest(index, one_hot(0), 9)[0].tolist()) == [2, 3]


class TestUpsert:
    def test_adding_an_id_again_replaces_its_vector(self, index):
        index.upsert(KEY, ids(1, 2), one_hot(0, 1))

        index.upsert(KEY, ids(1), one_hot(3))

        assert index.count(KEY) == 2
        np.testing.assert_array_equal(index.vectors(KEY, ids(1, 2)), one_hot(3, 1))

    def test_known_and_new_ids_may_come_together(self, index):
        index.upsert(KEY, ids(5), one_hot(0))

        index.upsert(KEY, ids(4, 5, 6), one_hot(1, 2, 3))

        np.testing.assert_array_equal(index.vectors(KEY, ids(4, 5, 6)), one_hot(1, 2, 3))

    def test_ids_are_any_int64(self, index):
        edges = ids(np.iinfo(np.int64).min, -1, 0, np.iinfo(np.int64).max)
        index.upsert(KEY, edges, one_hot(0, 1, 2, 3))

        assert nearest(index, one_hot(0), 1)[0].tolist() == [np.iinfo(np.int64).min]
        assert everyone(index) == edges.tolist()

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_vectors_that_are_not_finite_are_refused_and_change_nothing(self, index, value):
        index.upsert(KEY, ids(1), one_hot(0))
        bad = one_hot(1, 2)
        bad[1, 0] = value

        with pytest.raises(ValueError, match="finite"):
            index.upsert(KEY, ids(1, 2), bad)
        with pytest.raises(ValueError, match="finite"):
            nearest(index, bad[1], 1)

        assert index.count(KEY) == 1
        np.testing.assert_array_equal(index.vectors(KEY, ids(1)), one_hot(0))

    def test_another_size_is_refused_and_changes_nothing(self, index):
        index.upsert(KEY, ids(1), one_hot(0))

        for attempt in (
            lambda: index.upsert(KEY, ids(2), one_hot(0, size=5)),
            lambda: nearest(index, np.zeros(5, np.float32), 1),
            lambda: nearest(index, np.zeros(3, np.float32), 1),
            lambda: index.shortlist(KEY, one_hot(0)[0], 1),
            lambda: index.shortlist(KEY, np.empty((0, 4), np.float32), 1),
        ):
            with pytest.raises(ValueError, match=r"size|shape"):
                attempt()

        assert index.count(KEY) == 1

    @pytest.mark.parametrize(("n_ids", "shape"), [(2, (1, 4)), (1, (4,)), (1, (2, 4)), (1, (1, 1, 4))])
    def test_ids_and_vectors_must_fit(self, index, n_ids, shape):
        with pytest.raises(ValueError, match="fit"):
            index.upsert(KEY, np.arange(n_ids), np.zeros(shape, np.float32))

        assert index.keys() == []

    def test_nothing_to_add_makes_no_key(self, index):
        index.upsert(KEY, ids(), np.empty((0, 4), np.float32))

        assert index.keys() == []

    def test_the_caller_may_change_its_array_afterwards(self, index):
        mine = one_hot(0)
        index.upsert(KEY, ids(1), mine)

        mine[:] = 9.0

        np.testing.assert_array_equal(index.vectors(KEY, ids(1)), one_hot(0))


class TestRemove:
    def test_a_removed_id_is_never_found_again(self, index):
        index.upsert(KEY, np.arange(6), one_hot(0, 0, 1, 1, 2, 2))

        index.remove(KEY, ids(0, 3, 5))

        assert everyone(index) == [1, 2, 4]
        np.testing.assert_array_equal(index.vectors(KEY, ids(1, 2, 4)), one_hot(0, 1, 2))

    def test_unknown_ids_and_keys_are_ignored(self, index):
        index.upsert(KEY, ids(1), one_hot(0))

        index.remove(KEY, ids(7, 8))
        index.remove(OTHER, ids(1))
        index.remove(KEY, ids())

        assert index.count(KEY) == 1

    def test_an_id_named_twice_is_removed_once(self, index):
        index.upsert(KEY, ids(1, 2, 3), one_hot(0, 1, 2))

        index.remove(KEY, ids(2, 2))

        assert everyone(index) == [1, 3]

    def test_a_removed_id_may_come_back(self, index):
        index.upsert(KEY, ids(1, 2), one_hot(0, 1))
        index.remove(KEY, ids(1))

        index.upsert(KEY, ids(1), one_hot(2))

        np.testing.assert_array_equal(index.vectors(KEY, ids(1, 2)), one_hot(2, 1))


class TestKeys:
    def test_keys_are_apart(self, index):
        index.upsert(KEY, ids(1), one_hot(0))
        index.upsert(OTHER, ids(1, 2), one_hot(1, 2, size=8))

        assert (index.count(KEY), index.count(OTHER)) == (1, 2)
        assert set(index.keys()) == {KEY, OTHER}

    def test_a_dropped_key_is_gone_and_may_come_back_with_another_size(self, index):
        index.upsert(KEY, ids(1), one_hot(0))

        index.drop(KEY)
        index.drop(KEY)

        assert index.count(KEY) == 0
        index.upsert(KEY, ids(1), one_hot(0, size=9))
        assert index.count(KEY) == 1

    def test_vectors_of_an_unknown_id_or_key_are_a_key_error(self, index):
        index.upsert(KEY, ids(1), one_hot(0))

        with pytest.raises(KeyError):
            index.vectors(KEY, ids(1, 2))
        with pytest.raises(KeyError):
            index.vectors(OTHER, ids(1))


class NaiveIndex:
    """The contract in dictionaries and loops."""

    def __init__(self) -> None:
        self.vectors: dict[int, list[np.ndarray]] = {}

    def upsert(self, chosen: list[int], vectors: np.ndarray) -> None:
        for id_ in chosen:
            self.vectors[id_] = []
        for id_, vector in zip(chosen, vectors, strict=True):
            self.vectors[id_].append(vector)

    def shortlist(self, probe: np.ndarray, k: int, best: int) -> list[int]:
        def score(id_: int) -> float:
            largest = [max(float(np.dot(mine, one)) for mine in self.vectors[id_]) for one in probe]
            return sum(sorted(largest)[-best:])

        return sorted(self.vectors, key=lambda id_: (-score(id_), id_))[:k]


SMALL_IDS = st.lists(st.integers(0, 12), min_size=1, max_size=8)
STEPS = st.lists(st.tuples(st.sampled_from(["upsert", "remove"]), SMALL_IDS), min_size=1, max_size=12)


class TestAgainstTheNaiveIndex:
    @pytest.mark.parametrize("cls", EXACT, ids=lambda cls: cls.__name__)
    @given(steps=STEPS, q=st.integers(1, 3), k=st.integers(1, 15), seed=st.integers(0, 2**32 - 1))
    def test_any_history_gives_the_same_answers(self, cls, steps, q, k, seed):
        rng = np.random.default_rng(seed)
        index, naive = cls(), NaiveIndex()

        for step, chosen in steps:
            if step == "upsert":
                vectors = rng.integers(-2, 3, (len(chosen), 4)).astype(np.float32)  # Many ties, exact sums.
                index.upsert(KEY, ids(*chosen), vectors)
                naive.upsert(chosen, vectors)
            else:
                index.remove(KEY, ids(*chosen))
                for id_ in chosen:
                    naive.vectors.pop(id_, None)

        probe = rng.integers(-2, 3, (q, 4)).astype(np.float32)
        assert index.count(KEY) == len(naive.vectors)
        assert index.shortlist(KEY, probe, k)[0].tolist() == naive.shortlist(probe, k, 1)
        assert index.shortlist(KEY, probe, 100, 2)[0].tolist() == naive.shortlist(probe, 100, 2)
        if naive.vectors:
            np.testing.assert_array_equal(
                index.vectors(KEY, ids(*naive.vectors)), np.concatenate(list(naive.vectors.values()))
            )


class TestThreads:
    def test_readers_beside_a_writer_see_whole_vectors_and_consistent_ids(self, exact):
        """Every vector is c·(1, 1, 1, 1), so that a torn or misplaced row would show in its score."""
        n_rounds, size = 300, 64
        exact.upsert(KEY, np.arange(200), np.ones((200, size), np.float32))
        finished = Event()
        probe = np.full(size, 1 / size, np.float32)

        def write() -> None:
            rng = np.random.default_rng(0)
            for round_ in range(n_rounds):
                some = rng.choice(400, 20, replace=False).astype(np.int64)
                if round_ % 2:
                    exact.remove(KEY, some)
                else:
                    exact.upsert(KEY, some, np.full((20, size), 1 + some[0] % 3, np.float32))
            finished.set()

        def read() -> int:
            searches = 0
            while not finished.is_set() or searches == 0:
                found, scores = nearest(exact, probe, 1000)
                assert len(found) == len(scores) == len(set(found.tolist()))
                assert set(np.round(scores, 4).tolist()) <= {1.0, 2.0, 3.0}
                assert len(set(nearest(exact, probe, 5)[0].tolist())) == 5
                searches += 1
            return searches

        with ThreadPoolExecutor(4) as threads:
            readers = [threads.submit(read) for _ in range(3)]
            threads.submit(write).result()

            assert all(reader.result() > 0 for reader in readers)


class TestCost:
    """Ratios with wide margins: what is forbidden is another order of growth, not a slow machine."""

    def best_s(self, action, repeats: int = 5) -> float:
        times = []
        for _ in range(repeats):
            begun = time.perf_counter()
            action()
            times.append(time.perf_counter() - begun)
        return min(times)

    def test_a_search_costs_about_what_the_product_costs(self, exact):
        vectors = unit_vectors(20_000)
        exact.upsert(KEY, np.arange(20_000), vectors)
        exact.remove(KEY, np.arange(0, 20_000, 97))
        probe = vectors[5]

        product_s = self.best_s(lambda: vectors @ probe, 20)
        search_s = self.best_s(lambda: nearest(exact, probe, 256), 20)

        assert search_s < 4 * product_s

    def test_single_additions_and_removals_do_not_touch_the_others(self, exact):
        vectors = unit_vectors(100_000)
        exact.upsert(KEY, np.arange(100_000), vectors)

        def churn() -> None:
            for number in range(200):
                exact.upsert(KEY, ids(200_000 + number), vectors[:1])
                exact.remove(KEY, ids(number))

        copy_s = self.best_s(vectors.copy)

        assert self.best_s(churn, 1) / 400 < copy_s / 10
