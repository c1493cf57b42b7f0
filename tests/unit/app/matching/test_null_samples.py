import numpy as np
import pytest

from app.domain.references import UNKNOWN_POSITION, Template
from app.matching.null_samples import NullSample, SampledSubject
from ml.runtime.evidence import SECONDS, Evidence
from tests.fakes import FakeEncoder, unit
from tests.null_samples import GivenSample

ENCODER = FakeEncoder()


def template(generator: np.random.Generator) -> Template:
    vector = unit(generator.standard_normal(ENCODER.vector_size)).astype(np.float32)
    seconds, quality = float(generator.uniform(3, 20)), float(generator.uniform(0.5, 1))
    return Template(vector, Evidence(seconds, SECONDS, quality))


def subject(generator: np.random.Generator, *positions: str) -> SampledSubject:
    names = positions or (UNKNOWN_POSITION,)
    return SampledSubject(template(generator), names[0], {name: template(generator) for name in names})


def brute_force(subjects: dict[int, SampledSubject], row: int, column: int) -> float:
    """LLR of one reference against one template: of its own position, else unknown, else first by name."""
    probe, position = subjects[row].reference, subjects[row].reference_position
    templates = subjects[column].templates
    if position in templates:
        enrolled = templates[position]
    elif UNKNOWN_POSITION in templates:
        enrolled = templates[UNKNOWN_POSITION]
    elif position == UNKNOWN_POSITION:
        enrolled = templates[min(templates)]
    else:
        return float("nan")
    one, other = probe.evidence, enrolled.evidence
    quality = (one.quality * one.amount + other.quality * other.amount) / (one.amount + other.amount)
    cosine = float(probe.vector @ enrolled.vector)
    return float(ENCODER.calibration.llr_db(cosine, min(one.amount, other.amount), quality))


def matrix_of(sample: NullSample) -> dict[tuple[int, int], float]:
    sample.fitted()  # Comparisons are made with the fit.
    n = len(sample)
    return {
        (sample.slots[i], sample.slots[j]): float(sample._llr_db[i, j])
        for i in range(n)
        for j in range(n)
        if i != j
    }


class TestNullSample:
    def test_any_history_ends_in_the_comparisons_of_those_who_are_left(self):
        generator = np.random.default_rng(7)
        sample, subjects = GivenSample(ENCODER), {}
        for _ in range(120):
            slot = int(generator.integers(0, 40))
            if slot in subjects and generator.random() < 0.4:
                sample.remove(slot)
                del subjects[slot]
            else:
                positions = [("I",), ("II", "I"), (UNKNOWN_POSITION, "II"), (UNKNOWN_POSITION,)][
                    int(generator.integers(4))
                ]
                subjects[slot] = subject(generator, *positions)
                sample.put(slot, subjects[slot])

        found = matrix_of(sample)

        assert set(sample.slots) == set(subjects)
        for (row, column), llr_db in found.items():
            assert llr_db == pytest.approx(brute_force(subjects, row, column), abs=1e-4, nan_ok=True)

    def test_filling_at_once_equals_adding_one_by_one(self):
        generator = np.random.default_rng(8)
        subjects = {slot: subject(generator) for slot in range(50)}
        at_once, one_by_one = (GivenSample(ENCODER) for _ in range(2))

        at_once.fill(subjects)
        for slot, brought in subjects.items():
            one_by_one.put(slot, brought)

        first, second = matrix_of(at_once), matrix_of(one_by_one)
        assert first.keys() == second.keys()
        assert list(first.values()) == pytest.approx([second[key] for key in first], abs=1e-4)

    def test_below_30_subjects_nothing_is_corrected(self):
        generator = np.random.default_rng(9)
        sample = GivenSample(ENCODER)

        sample.fill({slot: subject(generator) for slot in range(29)})

        assert not sample.gallery_null().corrected

    def test_from_30_subjects_the_gallery_knows_itself(self):
        generator = np.random.default_rng(9)
        sample = GivenSample(ENCODER)

        sample.fill({slot: subject(generator) for slot in range(30)})

        assert sample.gallery_null().corrected
        assert sample.gallery_null().subjects == 30

    def test_one_person_enrolled_twice_is_a_possible_duplicate(self):
        generator = np.random.default_rng(10)
        sample = GivenSample(ENCODER)
        subjects = {slot: subject(generator) for slot in range(40)}
        twice = Template(subjects[3].reference.vector, Evidence(20.0, SECONDS, 1.0))
        for slot in (3, 17):
            subjects[slot] = SampledSubject(twice, UNKNOWN_POSITION, {UNKNOWN_POSITION: twice})

        sample.fill(subjects)

        assert sample.possible_duplicates() == ((3, 17),)

    def test_a_change_is_seen_by_the_next_fit(self):
        generator = np.random.default_rng(11)
        sample = GivenSample(ENCODER)
        sample.fill({slot: subject(generator) for slot in range(40)})
        before = sample.null(1)

        sample.put(40, subject(generator))

        assert sample.gallery_null().subjects == 41
        assert sample.null(1) is not before
