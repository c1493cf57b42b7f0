from __future__ import annotations

import json

import numpy as np
import pytest

from ml.data.packed import open_packed
from ml.data.records import DataError


@pytest.fixture
def folder(tmp_path):
    # The sum of the differences leaves int16 and comes back: -32768 follows 32767.
    counts = np.array([32767, -32768, 5, 7, 9], dtype=np.int16)
    np.savez(
        tmp_path / "ecg.npz",
        signal_delta=np.diff(counts, prepend=np.int16(0)),
        signal_ii=counts[::-1],
        offsets=np.array([0, 3, 5]),
        record_id=np.array(["a", "b"]),
        short=np.array([1]),
        peaks=np.array([1, 2, 4]),
        peaks_offsets=np.array([0, 1, 3]),
    )
    (tmp_path / "meta.json").write_text(json.dumps({"fs_hz": 250, "unit_uv_per_lsb": 5.0}), encoding="utf-8")
    return tmp_path


class TestPackedSet:
    def test_signals_are_restored_from_differences_across_records(self, folder):
        with open_packed(folder) as packed:
            signal = packed.signals()

            np.testing.assert_allclose(signal(0), np.array([32767, -32768, 5]) * 0.005, rtol=1e-6)
            np.testing.assert_allclose(signal(1), [0.035, 0.045], rtol=1e-6)

    def test_signals_stored_plainly_are_taken_as_they_are(self, folder):
        with open_packed(folder) as packed:
            np.testing.assert_allclose(
                packed.signals("signal_ii")(1), [-32768 * 0.005, 32767 * 0.005], rtol=1e-6
            )

    def test_counts_stay_counts_where_the_set_has_no_unit(self, folder):
        (folder / "meta.json").write_text('{"fs_hz": 500, "unit": "raw"}', encoding="utf-8")

        with open_packed(folder) as packed:
            assert packed.signals()(1).tolist() == [7.0, 9.0]

    def test_ragged_arrays_are_cut_at_their_own_offsets(self, folder):
        with open_packed(folder) as packed:
            assert [part.tolist() for part in packed.ragged("peaks", "peaks_offsets")] == [[1], [2, 4]]

    def test_a_column_has_one_entry_per_record(self, folder):
        with open_packed(folder) as packed:
            assert packed.strings("record_id") == ["a", "b"]
            with pytest.raises(DataError, match="expected 2 entries in 'short', found 1"):
                packed.column("short")

    def test_a_missing_array_is_named_with_those_found(self, folder):
        with (
            open_packed(folder) as packed,
            pytest.raises(DataError, match=r"expected an array 'sex', found \['offsets'"),
        ):
            packed.column("sex")


class TestOpenPacked:
    @pytest.mark.parametrize("missing", ["ecg.npz", "meta.json"])
    def test_names_the_missing_file(self, folder, missing):
        (folder / missing).unlink()

        with pytest.raises(DataError, match=f"{missing}: missing"), open_packed(folder):
            pass

    def test_refuses_arrays_without_offsets(self, tmp_path):
        np.savez(tmp_path / "ecg.npz", signal=np.zeros(3))
        (tmp_path / "meta.json").write_text("{}", encoding="utf-8")

        with pytest.raises(DataError, match="expected an array 'offsets'"), open_packed(tmp_path):
            pass
