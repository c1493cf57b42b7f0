"""One contract for every index (ports.TemplateIndex, DESIGN §6).

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
from app.domain.ports import IndexKey
from app.domain.references import Modality

KEY = IndexKey(UUID(int=1), Modality.ECG, "unknown", "fake@1", 1)
OTHER = KEY._replace(transform_version=2)
EVERY_INDEX = [ExactIndex, FaissIndex]


@pytest.fixture(params=EVERY_INDEX, ids=lambda cls: cls.__name__)
def index(request):
    return request.param()


def ids(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def one_hot(*hot: int, size: int = 4) -> np.ndarray:
    return np.eye(size, dtype=np.float32)[list(hot)]


def unit_vectors(n: int, size: int = 128, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, size)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class TestScoreAll:
    def test_it_gives_ids_ascending_and_the_cosine_of_each(self, index):
        vectors = unit_vectors(50)
        order = np.random.default_rng(1).permutation(50)
        index.upsert(KEY, order.astype(np.int64), vectors[order])

        found, scores = index.score_all(KEY, vectors[7])

        np.testing.assert_array_equal(found, np.arange(50))
        np.testing.assert_allclose(scores, vectors @ vectors[7], atol=1e-6)
        assert (found.dtype, scores.dtype) == (np.int64, np.float32)

    def test_an_unknown_key_scores_as_empty(self, index):
        found, scores = index.score_all(KEY, one_hot(0)[0])

        assert (found.shape, scores.shape) == ((0,), (0,))

    def test_what_it_gave_does_not_change_afterwards(self, index):
        index.upsert(KEY, ids(1, 2), one_hot(0, 1))
        found, scores = index.score_all(KEY, one_hot(0)[0])

        index.upsert(KEY, ids(0, 1), one_hot(2, 3))
        index.remove(KEY, ids(2))

        assert (found.tolist(), scores.tolist()) == ([1, 2], [1.0, 0.0])


class TestSearch:
    def test_the_best_come_first(self, index):
        vectors = unit_vectors(500)
        index.upsert(KEY, np.arange(500), vectors)
        cosines = vectors @ vectors[3]

        found, scores = index.search(KEY, vectors[3], 10)

        np.testing.assert_array_equal(found, np.argsort(-cosines)[:10])
        np.testing.assert_allclose(scores, np.sort(cosines)[::-1][:10], atol=1e-6)

    def test_ties_go_by_id_also_across_the_cut(self, index):
        index.upsert(KEY, ids(9, 5, 7, 1, 3), one_hot(0, 0, 0, 0, 1))

        assert index.search(KEY, one_hot(0)[0], 2)[0].tolist() == [1, 5]
        assert index.search(KEY, one_hot(0)[0], 4)[0].tolist() == [1, 5, 7, 9]
        assert index.search(KEY, one_hot(0)[0], 5)[0].tolist() == [1, 5, 7, 9, 3]
        assert index.search(KEY, one_hot(2)[0], 3)[0].tolist() == [1, 3, 5]

    def test_more_than_there_are_gives_what_there_is(self, index):
        index.upsert(KEY, ids(4, 2), one_hot(0, 1))

        found, scores = index.search(KEY, one_hot(1)[0], 100)

        assert (found.tolist(), scores.tolist()) == ([2, 4], [1.0, 0.0])

    def test_an_unknown_key_finds_nothing(self, index):
        found, scores = index.search(KEY, one_hot(0)[0], 5)

        assert (found.shape, scores.shape) == ((0,), (0,))

    def test_an_emptied_key_finds_nothing(self, index):
        index.upsert(KEY, ids(1), one_hot(0))
        index.remove(KEY, ids(1))

        assert index.search(KEY, one_hot(0)[0], 5)[0].tolist() == []
        assert index.keys() == []

    def test_among_restricts_to_known_ids_each_once(self, index):
        index.upsert(KEY, ids(1, 2, 3, 4), one_hot(0, 0, 1, 0))

        found, scores = index.search(KEY, one_hot(0)[0], 3, among=ids(4, 3, 99, 2, 4))

        assert (found.tolist(), scores.tolist()) == ([2, 4, 3], [1.0, 1.0, 0.0])

    def test_among_nobody_finds_nobody(self, index):
        index.upsert(KEY, ids(1), one_hot(0))

        assert index.search(KEY, one_hot(0)[0], 3, among=ids())[0].tolist() == []
        assert index.search(KEY, one_hot(0)[0], 3, among=ids(8))[0].tolist() == []

    @pytest.mark.parametrize("k", [0, -1])
    def test_fewer_than_one_is_refused(self, index, k):
        with pytest.raises(ValueError, match="k"):
            index.search(KEY, one_hot(0)[0], k)

    def test_a_probe_that_is_a_view_with_strides_is_read_right(self, index):
        index.upsert(KEY, ids(1, 2), one_hot(0, 2))
        strided = np.array([0, 9, 0, 9, 1, 9, 0, 9], np.float64)[::2]

        assert index.search(KEY, strided, 1)[0].tolist() == [2]


class TestUpsert:
    def test_adding_an_id_again_replaces_its_vector(self, index):
        index.upsert(KEY, ids(1, 2), one_hot(0, 1))

        index.upsert(KEY, ids(1), one_hot(3))

        assert index.count(KEY) == 2
        np.testing.assert_array_equal(index.vectors(KEY, ids(1, 2)), one_hot(3, 1))

    def test_of_an_id_named_twice_the_last_counts(self, index):
        index.upsert(KEY, ids(1, 1, 2, 1), one_hot(0, 1, 2, 3))

        assert index.count(KEY) == 2
        np.testing.assert_array_equal(index.vectors(KEY, ids(1, 2)), one_hot(3, 2))

    def test_known_and_new_ids_may_come_together(self, index):
        index.upsert(KEY, ids(5), one_hot(0))

        index.upsert(KEY, ids(4, 5, 6), one_hot(1, 2, 3))

        np.testing.assert_array_equal(index.vectors(KEY, ids(4, 5, 6)), one_hot(1, 2, 3))

    def test_ids_are_any_int64(self, index):
        edges = ids(np.iinfo(np.int64).min, -1, 0, np.iinfo(np.int64).max)
        index.upsert(KEY, edges, one_hot(0, 1, 2, 3))

        assert index.search(KEY, one_hot(0)[0], 1)[0].tolist() == [np.iinfo(np.int64).min]
        np.testing.assert_array_equal(index.score_all(KEY, one_hot(0)[0])[0], edges)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_vectors_that_are_not_finite_are_refused_and_change_nothing(self, index, value):
        index.upsert(KEY, ids(1), one_hot(0))
        bad = one_hot(1, 2)
        bad[1, 0] = value

        with pytest.raises(ValueError, match="finite"):
            index.upsert(KEY, ids(1, 2), bad)
        with pytest.raises(ValueError, match="finite"):
            index.search(KEY, bad[1], 1)
        with pytest.raises(ValueError, match="finite"):
            index.score_all(KEY, bad[1])

        assert index.count(KEY) == 1
        np.testing.assert_array_equal(index.vectors(KEY, ids(1)), one_hot(0))

    def test_another_size_is_refused_and_changes_nothing(self, index):
        index.upsert(KEY, ids(1), one_hot(0))

        for attempt in (
            lambda: index.upsert(KEY, ids(2), one_hot(0, size=5)),
            lambda: index.search(KEY, np.zeros(5, np.float32), 1),
            lambda: index.score_all(KEY, np.zeros(3, np.float32)),
            lambda: index.score_all(KEY, one_hot(0)),
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

        assert index.search(KEY, one_hot(0)[0], 6)[0].tolist() == [1, 2, 4]
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

        assert index.score_all(KEY, one_hot(0)[0])[0].tolist() == [1, 3]

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
        self.vectors: dict[int, np.ndarray] = {}

    def search(self, probe: np.ndarray, k: int) -> list[int]:
        return sorted(self.vectors, key=lambda id_: (-float(np.dot(self.vectors[id_], probe)), id_))[:k]


SMALL_IDS = st.lists(st.integers(0, 12), min_size=1, max_size=8)
STEPS = st.lists(st.tuples(st.sampled_from(["upsert", "remove"]), SMALL_IDS), min_size=1, max_size=12)


class TestAgainstTheNaiveIndex:
    @pytest.mark.parametrize("cls", EVERY_INDEX, ids=lambda cls: cls.__name__)
    @given(steps=STEPS, k=st.integers(1, 15), seed=st.integers(0, 2**32 - 1))
    def test_any_history_gives_the_same_answers(self, cls, steps, k, seed):
        rng = np.random.default_rng(seed)
        index, naive = cls(), NaiveIndex()

        for step, chosen in steps:
            if step == "upsert":
                vectors = rng.integers(-2, 3, (len(chosen), 4)).astype(np.float32)  # Many ties, exact sums.
                index.upsert(KEY, ids(*chosen), vectors)
                naive.vectors.update(zip(chosen, vectors, strict=True))
            else:
                index.remove(KEY, ids(*chosen))
                for id_ in chosen:
                    naive.vectors.pop(id_, None)

        probe = rng.integers(-2, 3, 4).astype(np.float32)
        assert index.count(KEY) == len(naive.vectors)
        assert index.search(KEY, probe, k)[0].tolist() == naive.search(probe, k)
        assert index.score_all(KEY, probe)[0].tolist() == sorted(naive.vectors)
        if naive.vectors:
            np.testing.assert_array_equal(
                index.vectors(KEY, ids(*naive.vectors)), np.stack(list(naive.vectors.values()))
            )


class TestThreads:
    def test_readers_beside_a_writer_see_whole_vectors_and_consistent_ids(self, index):
        """Every vector is c·(1, 1, 1, 1), so that a torn or misplaced row would show in its score."""
        n_rounds, size = 300, 64
        index.upsert(KEY, np.arange(200), np.ones((200, size), np.float32))
        finished = Event()
        probe = np.full(size, 1 / size, np.float32)

        def write() -> None:
            rng = np.random.default_rng(0)
            for round_ in range(n_rounds):
                some = rng.choice(400, 20, replace=False).astype(np.int64)
                if round_ % 2:
                    index.remove(KEY, some)
                else:
                    index.upsert(KEY, some, np.full((20, size), 1 + some[0] % 3, np.float32))
            finished.set()

        def read() -> int:
            searches = 0
            while not finished.is_set() or searches == 0:
                found, scores = index.score_all(KEY, probe)
                assert len(found) == len(scores)
                assert np.all(found[1:] > found[:-1])
                assert set(np.round(scores, 4).tolist()) <= {1.0, 2.0, 3.0}
                best, _ = index.search(KEY, probe, 5)
                assert len(set(best.tolist())) == 5
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

    def test_scoring_all_costs_what_the_product_costs(self, index):
        vectors = unit_vectors(20_000)
        index.upsert(KEY, np.arange(20_000), vectors)
        index.remove(KEY, np.arange(0, 20_000, 97))
        probe = vectors[5]

        product_s = self.best_s(lambda: vectors @ probe, 20)
        scoring_s = self.best_s(lambda: index.score_all(KEY, probe), 20)

        assert scoring_s < 3 * product_s

    def test_single_additions_and_removals_do_not_touch_the_others(self, index):
        vectors = unit_vectors(100_000)
        index.upsert(KEY, np.arange(100_000), vectors)

        def churn() -> None:
            for number in range(200):
                index.upsert(KEY, ids(200_000 + number), vectors[:1])
                index.remove(KEY, ids(number))

        copy_s = self.best_s(vectors.copy)

        assert self.best_s(churn, 1) / 400 < copy_s / 10
