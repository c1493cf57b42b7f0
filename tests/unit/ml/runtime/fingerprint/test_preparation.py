"""Pictures become cylinders for the network and a detail for the comparer."""

from dataclasses import asdict

import cv2
import numpy as np
import pytest

from app.domain.captures import FingerprintFacts
from ml.runtime.errors import CaptureError
from ml.runtime.evidence import IMAGES
from ml.runtime.fingerprint.comparison.combiner import Combiner
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.runtime.fingerprint.comparison.cylinders import CELLS, SECTIONS
from ml.runtime.fingerprint.drawn_finger import drawn_finger, drawn_finger_file
from ml.runtime.fingerprint.preparation import MOST_LOCAL_VECTORS, FingerprintPreparation
from ml.runtime.fingerprint.raw_fingerprint import RawFingerprint
from ml.runtime.kinds import FINGERPRINT_KIND, newest_preparation
from ml.runtime.preparation import json_form, require_preparation


@pytest.fixture
def preparation() -> FingerprintPreparation:
    return FingerprintPreparation(Combiner())


class TestPrepare:
    def test_the_example_comes_through(self, preparation: FingerprintPreparation) -> None:
        prepared = preparation.prepare(preparation.example())

        cylinders = prepared.inputs["cylinders"]
        assert cylinders.dtype == np.float32
        assert 4 <= len(cylinders) <= MOST_LOCAL_VECTORS
        assert cylinders.shape[1] == CELLS * SECTIONS
        assert prepared.evidence.unit == IMAGES
        assert prepared.evidence.amount == 1.0
        assert prepared.detail is not None

    def test_one_picture_twice_matches_and_another_finger_does_not(
        self, preparation: FingerprintPreparation
    ) -> None:
        comparer = preparation.comparer()
        first = drawn_finger(1)
        shifted = cv2.warpAffine(
            first, np.float32([[1, 0, 9], [0, 1, 5]]), first.shape[::-1], borderMode=cv2.BORDER_REPLICATE
        )
        files = [cv2.imencode(".png", picture)[1].tobytes() for picture in (first, shifted, drawn_finger(2))]
        one, again, other = (
            comparer.open(preparation.prepare(RawFingerprint(file, 500)).detail or b"") for file in files
        )

        own, strange = comparer.similarities([(one, again), (one, other)])

        assert own > strange + 0.3

    @pytest.mark.parametrize(
        ("content", "dpi", "code"),
        [
            (drawn_finger_file(), None, "dpi_required"),
            (drawn_finger_file(), 850, "dpi_implausible"),
            (b"no picture", 500, "image_undecodable"),
            (cv2.imencode(".png", np.full((200, 200), 128, np.uint8))[1].tobytes(), 500, "no_fingerprint"),
        ],
    )
    def test_what_is_no_usable_print_is_refused_with_its_code(
        self, preparation: FingerprintPreparation, content: bytes, dpi: int | None, code: str
    ) -> None:
        with pytest.raises(CaptureError) as refused:
            preparation.prepare(RawFingerprint(content, dpi))

        assert refused.value.code == code


class TestFacts:
    def test_an_impression_says_what_the_service_draws(self, preparation: FingerprintPreparation) -> None:
        facts = preparation.prepare(preparation.example()).facts

        assert isinstance(facts, FingerprintFacts)
        assert facts.size_px == (260, 320)
        assert facts.cell_px == 8.0
        assert facts.quality_map.shape == facts.mask.shape
        assert facts.ridge_period_px == pytest.approx(9.0, rel=0.15)

    def test_size_is_that_at_500_dpi(self, preparation: FingerprintPreparation) -> None:
        larger = cv2.resize(drawn_finger(), None, fx=2.0, fy=2.0, interpolation=cv2.INTER_CUBIC)
        file = cv2.imencode(".png", larger)[1].tobytes()

        seen = preparation.examine(RawFingerprint(file, 1000))

        assert seen is not None
        assert seen.size_px == (260, 320)

    def test_an_accepted_print_is_examined_as_it_is_encoded(
        self, preparation: FingerprintPreparation
    ) -> None:
        example = preparation.example()
        facts, seen = preparation.prepare(example).facts, preparation.examine(example)

        assert isinstance(facts, FingerprintFacts)
        assert seen is not None
        np.testing.assert_array_equal(seen.minutiae.xy, facts.minutiae.xy)
        np.testing.assert_array_equal(seen.quality_map, facts.quality_map)

    def test_ridges_at_an_implausible_resolution_are_seen(self, preparation: FingerprintPreparation) -> None:
        seen = preparation.examine(RawFingerprint(drawn_finger_file(), 850))

        assert seen is not None
        assert seen.ridge_period_px < 5.6
        assert len(seen.minutiae) > 0

    @pytest.mark.parametrize(
        ("content", "dpi"),
        [
            (b"no picture", 500),
            (drawn_finger_file(), None),
            (cv2.imencode(".png", np.full((200, 200), 128, np.uint8))[1].tobytes(), 500),
        ],
    )
    def test_nothing_is_seen_without_ridges(
        self, preparation: FingerprintPreparation, content: bytes, dpi: int | None
    ) -> None:
        assert preparation.examine(RawFingerprint(content, dpi)) is None


class TestParameters:
    def test_a_bundle_states_every_weight(self) -> None:
        made = FingerprintPreparation.from_dict({"combiner": asdict(Combiner(bias=3.0))})

        assert isinstance(made.comparer(), FingerprintComparer)

    @pytest.mark.parametrize("given", [{}, {"combiner": {"bias": 1.0}}, {"combiner": {}, "more": 1}])
    def test_others_are_refused(self, given: dict[str, object]) -> None:
        with pytest.raises(ValueError, match="preprocessing"):
            FingerprintPreparation.from_dict(given)

    def test_constants_of_extraction_and_comparison_are_named(self) -> None:
        constants = newest_preparation(FINGERPRINT_KIND)["preparation_constants"]

        assert constants["extraction.WORKING_DPI"] == 500.0
        assert constants["cylinders.LEVELS"] == [0.003, 0.015]
        assert constants["relaxation.ROUNDS"] == 5
        require_preparation(1, constants, {1: FingerprintPreparation.constants})
        assert json_form(constants) == constants


class TestPrivacy:
    def test_pictures_stay_out_of_repr(self) -> None:
        assert repr(RawFingerprint(b"12345", 500)) == "RawFingerprint(<5>)"
