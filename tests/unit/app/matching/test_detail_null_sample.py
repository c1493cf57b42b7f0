from threading import RLock

import numpy as np
import pytest

from app.domain.details import Detail, Parts
from app.domain.references import UNKNOWN_POSITION, Template
from app.matching.background_fits import at_once
from app.matching.detail_null_sample import MAX_COMPARED, DetailNullSample
from app.matching.null_samples import SampledSubject
from ml.runtime.evidence import IMAGES, Evidence
from tests.fakes import unit
from tests.fingerprint_fakes import IN_VECTOR, RIDGES, FakeFingerprintEncoder, print_of


class Later:
    """Keeps fits until somebody runs them."""

    def __init__(self) -> None:
        self.fits = []

    def __call__(self, fit) -> None:
        self.fits.append(fit)

    def run(self) -> None:
        while self.fits:
            self.fits.pop(0)()


@pytest.fixture
def encoder():
    return FakeFingerprintEncoder()


def a_sample(encoder, run=at_once, watch=lambda _: None) -> DetailNullSample:
    return DetailNullSample(encoder, lambda slot: slot.to_bytes(4, "big"), RLock(), run, watch)


def template(encoder, person: int, *takes: int) -> Template:
    encodings = [encoder.encode(print_of(person, take)) for take in takes]
    parts = Parts(
        tuple(Detail(one.detail, encoder.comparer.open) for one in encodings),
        np.concatenate([one.local for one in encodings]),
    )
    return Template(encodings[0].vector, Evidence(float(len(takes)), IMAGES, 0.9), parts)


def subject(encoder, person: int, *, takes=(0, 1), positions=(UNKNOWN_POSITION,)) -> SampledSubject:
    pooled = template(encoder, person, *takes)
    return SampledSubject(template(encoder, person, takes[0]), positions[0], dict.fromkeys(positions, pooled))


def matrices(sample: DetailNullSample):
    return sample._compared.similarity, sample._compared.numbers


class TestFit:
    def test_references_are_compared_with_all_prints_of_others(self, encoder):
        sample = a_sample(encoder)
        sample.fill({n: subject(encoder, n) for n in range(3)})

        similarity, numbers = matrices(sample)

        assert np.isnan(np.diag(similarity)).all()
        off = ~np.eye(3, dtype=bool)
        assert numbers[off].tolist() == [2] * 6
        seen = [unit(np.frombuffer(print_of(2, take).image, dtype=np.float32)) for take in (0, 1)]
        probe = unit(np.frombuffer(print_of(0, 0).image, dtype=np.float32))
        assert similarity[0, 2] == pytest.approx(max(float(probe @ one) for one in seen), abs=1e-6)

    def test_different_named_fingers_are_not_compared(self, encoder):
        sample = a_sample(encoder)
        sample.fill(
            {0: subject(encoder, 0, positions=("thumb",)), 1: subject(encoder, 1, positions=("index",))}
        )

        assert np.isnan(matrices(sample)[0]).all()

    def test_from_30_subjects_on_the_gallery_knows_itself(self, encoder):
        sample = a_sample(encoder)

        sample.fill({n: subject(encoder, n) for n in range(40)})

        assert sample.gallery_null().corrected
        assert sample.gallery_null().subjects == 40

    def test_a_hundred_of_smallest_rank_are_compared(self, encoder):
        sample = a_sample(encoder)

        sample.fill({n: subject(encoder, n, takes=(0,)) for n in range(MAX_COMPARED + 30)})

        assert sample.gallery_null().subjects == MAX_COMPARED
        assert list(sample._compared.subjects) == list(range(MAX_COMPARED))
        assert encoder.comparer.compared == MAX_COMPARED * (MAX_COMPARED - 1)

    def test_what_is_known_is_not_compared_again(self, encoder):
        sample = a_sample(encoder)
        sample.fill({n: subject(encoder, n) for n in range(30)})
        before = encoder.comparer.compared

        sample.put(30, subject(encoder, 30))
        sample.fitted()

        assert encoder.comparer.compared == before + 2 * 30

    def test_any_history_ends_in_the_comparisons_of_those_who_are_left(self, encoder):
        sample, fresh = a_sample(encoder), a_sample(encoder)
        generator = np.random.default_rng(3)
        subjects = {}
        for _ in range(60):
            slot = int(generator.integers(0, 12))
            if slot in subjects and generator.random() < 0.4:
                sample.remove(slot)
                del subjects[slot]
            else:
                subjects[slot] = subject(encoder, int(generator.integers(0, 99)))
                sample.put(slot, subjects[slot])
            if generator.random() < 0.5:
                sample.fitted()

        sample.fitted()
        fresh.fill(dict(sorted(subjects.items())))

        assert list(sample._compared.subjects) == sorted(subjects)
        for found, expected in zip(matrices(sample), matrices(fresh), strict=True):
            np.testing.assert_array_equal(found, expected)

    def test_one_finger_under_two_names_is_a_possible_duplicate(self, encoder):
        sample = a_sample(encoder)
        people = {n: subject(encoder, n) for n in range(40)}
        people[17] = subject(encoder, 3, takes=(0, 5))

        sample.fill(people)

        assert (3, 17) in sample.possible_duplicates()
        sample.remove(17)
        assert 3 not in {slot for group in sample.possible_duplicates() for slot in group}


class TestInTheBackground:
    def test_decisions_go_on_with_the_fit_before(self, encoder):
        later = Later()
        sample = a_sample(encoder, later)
        sample.fill({n: subject(encoder, n) for n in range(40)})

        before = sample.fitted()
        later.run()
        after = sample.fitted()

        assert not before.gallery_null.corrected
        assert after.gallery_null.corrected

    def test_one_fit_is_under_way_at_most(self, encoder):
        later = Later()
        sample = a_sample(encoder, later)
        sample.fill({n: subject(encoder, n) for n in range(5)})
        for _ in range(3):
            sample.fitted()

        assert len(later.fits) == 1

    def test_an_enrollment_begins_none(self, encoder):
        later = Later()
        sample = a_sample(encoder, later)

        sample.put(1, subject(encoder, 1))
        sample.recent_null()

        assert later.fits == []

    def test_whoever_is_erased_during_a_fit_is_not_kept(self, encoder):
        sample = a_sample(encoder, Later())
        sample.fill({n: subject(encoder, n) for n in range(5)})
        compare = encoder.comparer.compare

        def erase_meanwhile(probe, enrolled):
            sample.remove(2)
            return compare(probe, enrolled)

        encoder.comparer.compare = erase_meanwhile
        sample._fit()

        assert list(sample._compared.subjects) == [0, 1, 3, 4]
        assert len(matrices(sample)[0]) == 4

    def test_a_fit_that_fails_is_tried_again(self, encoder):
        later = Later()
        sample = a_sample(encoder, later)
        sample.fill({n: subject(encoder, n) for n in range(40)})
        compare, encoder.comparer.compare = encoder.comparer.compare, None

        with pytest.raises(TypeError):
            later.run()
        encoder.comparer.compare = compare
        sample.fitted()
        later.run()

        assert sample.fitted().gallery_null.corrected

    def test_every_fit_is_shown(self, encoder):
        seen = []
        sample = a_sample(encoder, watch=seen.append)

        sample.fill({n: subject(encoder, n) for n in range(40)})
        sample.put(40, subject(encoder, 40))
        sample.fitted()

        assert [one.subjects for one in seen] == [40, 41]


def test_the_fakes_vector_is_half_of_the_detail(encoder):
    assert (encoder.vector_size, RIDGES) == (IN_VECTOR, 2 * IN_VECTOR)
