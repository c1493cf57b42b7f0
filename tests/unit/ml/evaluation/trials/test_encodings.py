from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ml.data.records import EcgRecord
from ml.evaluation.trials.encodings import EncodingCache, TemplateSet, cache_folder, pool_presentations
from ml.evaluation.trials.trials import Cut, Presentation
from ml.runtime.ecg.raw_ecg import RawEcg
from ml.runtime.ecg.signal.errors import SignalTooShortError
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.runtime.evidence import SECONDS, Evidence
from tests.bundles import write_tiny_bundle


class CountingEncoder:
    """Encodes a strip as the direction of its first two samples; refuses strips under 3 s."""

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, capture: RawEcg) -> SimpleNamespace:
        self.calls += 1
        ecg, fs_hz = capture
        if ecg.size < 3 * fs_hz:
            raise SignalTooShortError("too short")
        vector = ecg[:2] / np.linalg.norm(ecg[:2])
        return SimpleNamespace(vector=vector, evidence=Evidence(ecg.size / fs_hz, SECONDS, 0.5))


def cut(name: str, first: tuple[float, float], *, seconds: float = 5.0, session: str = "") -> Cut:
    signal = np.zeros(round(100 * seconds), dtype=np.float32)
    signal[:2] = first
    return Cut(EcgRecord(f"{name}{session}", name, 100.0, signal))


class TestCacheFolder:
    @pytest.fixture
    def encoder(self, tmp_path: Path) -> BundledEncoder:
        return write_tiny_bundle(tmp_path)

    def test_is_named_after_weights_and_preparation(self, encoder: BundledEncoder, tmp_path: Path) -> None:
        folder = cache_folder(tmp_path, encoder)

        assert folder == cache_folder(tmp_path, load_bundle(tmp_path / encoder.encoder_id))
        assert folder.name.startswith(encoder.info.sha256[:12])

    @pytest.mark.parametrize(
        "changes",
        [
            {"sha256": "f" * 64},
            {"preparation_version": 2},
            {"preparation_constants": {"BAND_HIGH_HZ": 25.0}},
            {"preprocessing": {"before_s": 0.3}},
        ],
    )
    def test_a_change_of_either_gives_another(
        self, encoder: BundledEncoder, tmp_path: Path, changes: dict[str, object]
    ) -> None:
        before = cache_folder(tmp_path, encoder)

        encoder.info = replace(encoder.info, **changes)

        assert cache_folder(tmp_path, encoder) != before


class TestEncodingCache:
    def test_encodes_once_and_remembers_on_disk(self, tmp_path: Path) -> None:
        first, second = CountingEncoder(), CountingEncoder()
        cuts = [cut("a", (3.0, 4.0)), cut("b", (1.0, 0.0))]

        fresh = EncodingCache(tmp_path, first, 2).encode("set", cuts)
        again = EncodingCache(tmp_path, second, 2).encode("set", cuts)

        assert (first.calls, second.calls) == (2, 0)
        for key, encoded in fresh.items():
            np.testing.assert_array_equal(again[key].vector, encoded.vector)
            assert again[key].evidence == encoded.evidence

    def test_only_what_is_missing_is_encoded(self, tmp_path: Path) -> None:
        encoder = CountingEncoder()
        cache = EncodingCache(tmp_path, encoder, 2)
        cache.encode("set", [cut("a", (1.0, 0.0))])

        found = cache.encode("set", [cut("a", (1.0, 0.0)), cut("b", (0.0, 1.0))])

        assert encoder.calls == 2
        assert len(found) == 2

    def test_a_failure_to_acquire_keeps_its_code(self, tmp_path: Path) -> None:
        short = cut("a", (1.0, 0.0), seconds=2.0)

        for _ in range(2):  # Computed, then read back.
            encoded = EncodingCache(tmp_path, CountingEncoder(), 2).encode("set", [short])[short.key]
            assert encoded.code == "signal_too_short"
            assert np.isnan(encoded.vector).all()


class TestPoolPresentations:
    @staticmethod
    def pooled(tmp_path: Path, *presentations: Presentation) -> TemplateSet:
        cuts = [c for presentation in presentations for c in presentation.cuts]
        encoded = EncodingCache(tmp_path, CountingEncoder(), 2).encode("set", cuts)
        return pool_presentations(presentations, encoded)

    def test_one_cut_is_its_own_template_and_reference(self, tmp_path: Path) -> None:
        found = self.pooled(tmp_path, Presentation.of(cut("a", (3.0, 4.0))))

        np.testing.assert_allclose(found.vectors, [[0.6, 0.8]], atol=1e-6)
        np.testing.assert_array_equal(found.vectors, found.reference_vectors)
        assert found.evidence.amount.tolist() == [5.0]

    def test_seconds_add_up_and_failed_cuts_are_left_out(self, tmp_path: Path) -> None:
        presented = Presentation.of(
            cut("a", (0.0, 1.0), seconds=2.0, session="0"),
            cut("a", (1.0, 0.0), session="1"),
            cut("a", (0.0, 1.0), session="2"),
        )

        found = self.pooled(tmp_path, presented)

        np.testing.assert_allclose(found.vectors, [[np.sqrt(0.5), np.sqrt(0.5)]], atol=1e-6)
        np.testing.assert_allclose(found.reference_vectors, [[1.0, 0.0]], atol=1e-6)
        assert found.evidence.amount.tolist() == [10.0]
        assert found.codes == ("",)

    def test_nothing_accepted_is_a_failure_to_enroll(self, tmp_path: Path) -> None:
        found = self.pooled(tmp_path, Presentation.of(cut("a", (1.0, 0.0), seconds=1.0)))

        assert found.codes == ("signal_too_short",)
        assert np.isnan(found.vectors).all()

    def test_subset_keeps_rows_together(self, tmp_path: Path) -> None:
        whole = self.pooled(tmp_path, *(Presentation.of(cut(n, (k, 1.0))) for k, n in enumerate("abc")))

        part = whole.subset(np.array([2, 0]))

        assert part.subject_ids == ("c", "a")
        np.testing.assert_array_equal(part.vectors, whole.vectors[[2, 0]])
