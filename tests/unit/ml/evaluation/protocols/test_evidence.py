import json
from pathlib import Path

import pytest

from ml.evaluation.protocols.evidence import EVIDENCE_SETS, EvidencePoint, evidence_point
from ml.evaluation.trials.scoring import Scored
from ml.metrics.error_rates import eer
from ml.runtime.matching.gallery_null import GalleryNull
from tests.unit.ml.evaluation.trials.populations import Population, all_against_all, fitted_calibration


def point(seconds: float, *, failed: tuple[int, ...] = ()) -> EvidencePoint:
    people = Population(60, seed=21)
    gallery, probes = people.templates(20.0), people.templates(seconds, failed=failed)
    comparisons = all_against_all(probes, gallery)
    return evidence_point(seconds, Scored(comparisons, fitted_calibration(), GalleryNull.identity()))


class TestEvidencePoint:
    def test_more_evidence_errs_less(self) -> None:
        short, long = point(3.0), point(20.0)

        assert long.eer is not None
        assert short.eer is not None
        assert long.eer < short.eer
        assert long.rank_1_errors.count <= short.rank_1_errors.count

    def test_eer_is_that_of_uncorrected_scores(self) -> None:
        people = Population(60, seed=21)
        comparisons = all_against_all(people.templates(5.0), people.templates(20.0))
        scored = Scored(comparisons, fitted_calibration(), GalleryNull.identity())

        found = evidence_point(5.0, scored)

        mated, others = comparisons.llr_db[comparisons.mated], comparisons.llr_db[~comparisons.mated]
        assert found.eer == eer(mated, others)

    def test_a_length_that_the_encoder_refuses_is_all_failures_and_has_no_eer(self) -> None:
        found = point(1.0, failed=tuple(range(60)))

        assert found.failures == found.probes == found.rank_1_errors.count == 60
        assert found.eer is None
        assert all(share.count == 60 for share in found.fnmr)
        assert json.loads(json.dumps(found.to_dict()))["eer_interval"] is None


@pytest.mark.real_data
class TestEvidenceSets:
    @pytest.mark.parametrize(("name", "people"), [("evidence-D2", 79), ("evidence-E2", 89)])
    def test_every_length_asks_the_same_people(self, name: str, people: int, data_dir: Path) -> None:
        chosen = EVIDENCE_SETS[name]

        variants = chosen.build(data_dir, chosen.lengths_s)

        assert [len(trials.probes) for trials in variants] == [people] * len(chosen.lengths_s)
        for length_s, trials in zip(chosen.lengths_s, variants, strict=True):
            cut = trials.probes[0].presentation.cuts[0]
            assert cut.signal.size == round(length_s * cut.record.fs_hz)

    def test_cinc_probe_starts_after_what_is_enrolled_and_holds_its_length(self, data_dir: Path) -> None:
        chosen = EVIDENCE_SETS["evidence-D1-dev"]

        longest = chosen.build(data_dir, chosen.lengths_s)[-1]

        assert len(longest.probes) > 400
        for probe in longest.probes:
            cut = probe.presentation.cuts[0]
            assert cut.start_s >= 10.0
            assert cut.signal.size == round(20.0 * cut.record.fs_hz)

    def test_only_development_sets_may_be_looked_at_freely(self) -> None:
        assert {name for name, found in EVIDENCE_SETS.items() if not found.development} == {"evidence-E2"}
