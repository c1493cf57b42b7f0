"""What is FAISS's own."""

from threading import Thread
from uuid import UUID

import faiss
import numpy as np

from app.adapters.index.faiss_index import FaissIndex
from app.domain.ports.index import IndexKey
from app.domain.references import Modality

KEY = IndexKey(UUID(int=1), Modality.ECG, "unknown", "fake@1", 1)


class TestFaissIndex:
    def test_searches_use_one_thread_whichever_thread_asks(self):
        """OpenMP keeps the number per calling thread: setting it once at start would not reach the others."""
        index = FaissIndex()
        index.upsert(KEY, np.arange(2), np.eye(2, dtype=np.float32))
        seen: list[int] = []

        def search() -> None:
            faiss.omp_set_num_threads(2)
            index.shortlist(KEY, np.ones((1, 2), np.float32), 1)
            seen.append(faiss.omp_get_max_threads())

        thread = Thread(target=search)
        thread.start()
        thread.join()

        assert seen == [1]

    def test_a_removed_vector_is_overwritten(self):
        index = FaissIndex()
        index.upsert(KEY, np.arange(3), np.full((3, 4), 7, np.float32))
        storage = index._shelves[KEY].storage
        address = storage.matrix.__array_interface__["data"][0]

        index.remove(KEY, np.array([2]))

        assert storage.matrix.__array_interface__["data"][0] == address
        beyond = faiss.rev_swig_ptr(storage._flat.get_xb(), 12).reshape(3, 4)[2]
        assert beyond.tolist() == [0.0] * 4


class TestWhatFaissDoesOnItsOwn:
    """The measured habits that the contract guards against."""

    def test_it_pads_with_minus_one(self):
        flat = faiss.IndexFlatIP(2)
        flat.add(np.eye(2, dtype=np.float32))

        assert flat.search(np.ones((1, 2), np.float32), 3)[1][0].tolist()[2] == -1

    def test_it_accepts_one_id_twice(self):
        mapped = faiss.IndexIDMap(faiss.IndexFlatIP(2))
        mapped.add_with_ids(np.eye(2, dtype=np.float32), np.array([5, 5]))

        assert mapped.search(np.ones((1, 2), np.float32), 2)[1][0].tolist() == [5, 5]

    def test_it_accepts_nan(self):
        flat = faiss.IndexFlatIP(2)
        flat.add(np.full((1, 2), np.nan, np.float32))

        assert flat.ntotal == 1
