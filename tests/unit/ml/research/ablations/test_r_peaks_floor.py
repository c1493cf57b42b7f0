"""What the detector has reached on real recordings; the figures are in results/r-peaks.json."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ml.research.ablations.r_peaks import Counts, ludb_counts, mit_bih_counts


def pooled(per_record: Iterator[tuple[str, Counts]]) -> Counts:
    return sum((counts for _, counts in per_record), Counts())


@pytest.mark.real_data
class TestDetectRPeaksOnRealRecordings:
    def test_ludb(self, data_dir: Path) -> None:
        counts = pooled(ludb_counts(data_dir))

        assert counts.annotated == 3658
        assert counts.missed <= 26
        assert counts.false <= 21

    def test_mit_bih_reaches_what_the_project_promises(self, data_dir: Path) -> None:
        counts = pooled(mit_bih_counts(data_dir))

        assert counts.annotated == 109494
        assert counts.sensitivity >= 0.993
        assert counts.positive_predictivity >= 0.993
