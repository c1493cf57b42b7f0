"""Which templates the benchmark compares."""

from benchmarks.fingerprints import OpenTemplates
from ml.runtime.fingerprint.comparison.combiner import Combiner
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.runtime.fingerprint.comparison.detail import write_detail
from tests.unit.ml.runtime.fingerprint.comparison.prints import impression


def templates() -> OpenTemplates:
    """Two fingers with three impressions each."""
    comparer = FingerprintComparer(Combiner())
    details = [
        [write_detail(impression(finger, take), dpi=500.0, quality=0.8).detail for take in range(3)]
        for finger in range(2)
    ]
    return OpenTemplates(comparer, [[comparer.open(one) for one in each] for each in details])


class TestOpenTemplates:
    def test_mates_are_more_alike_than_strangers_and_never_the_same_template(self) -> None:
        opened = templates()

        mates = [float(call()[0]) for call in opened.single(mated=True)]
        strangers = [float(call()[0]) for call in opened.single(mated=False)]

        assert min(mates) > max(strangers)
        assert max(mates) < 1.0

    def test_a_batch_holds_all_enrolled_impressions_and_no_probe(self) -> None:
        opened = templates()

        found = [call() for call in opened.batched()]

        assert [len(one) for one in found] == [opened.batch, opened.batch] == [4, 4]
        assert max(one.max() for one in found) < 1.0
