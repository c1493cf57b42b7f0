import cv2
import numpy as np
import pytest

from app.domain.captures import EcgStrip, FaceImage, FingerprintImage
from app.domain.errors import FailureToAcquireError
from app.domain.references import Modality
from benchmarks.virtual_people.figures import best_single, figures
from benchmarks.virtual_people.kept_encodings import KeepingEncoder
from benchmarks.virtual_people.noise import blackened, noisy_ecg
from benchmarks.virtual_people.pairing import NoisyProbes, combinations_of, pairing
from benchmarks.virtual_people.sources import Source
from benchmarks.virtual_people.trials import Counts
from ml.evaluation.pages.virtual_people_tables import virtual_people
from ml.runtime.encoding import Encoding
from ml.runtime.evidence import IMAGES, Evidence
from tests.unit.ml.evaluation.pages.test_targets import results


def white(height=40, width=50):
    return bytes(cv2.imencode(".png", np.full((height, width), 255, np.uint8))[1])


def made_up_sources(n=6):
    def strip(value):
        return EcgStrip(np.full(500, value, np.float32), 250.0)

    return {
        Modality.ECG: [Source(f"h{i}", strip(i), (strip(-i),)) for i in range(n)],
        Modality.FACE: [Source(f"f{i}", FaceImage(bytes([i + 1])), (FaceImage(b"p"),)) for i in range(n)],
    }


class TestPairing:
    def test_everybody_has_one_capture_of_each_modality_and_nobody_is_used_twice(self):
        people = pairing(made_up_sources(), seed=0)

        hearts = [person.enrolled[Modality.ECG].signal[0] for person in people]
        faces = [person.enrolled[Modality.FACE].image for person in people]
        assert len(people) == 6
        assert len(set(hearts)) == len(set(faces)) == 6

    def test_heart_probe_and_enrolled_heart_are_of_one_person(self):
        people = pairing(made_up_sources(), seed=1)

        assert all(p.enrolled[Modality.ECG].signal[0] == -p.probe[Modality.ECG].signal[0] for p in people)

    def test_seeds_pair_differently(self):
        def pairs(seed):
            people = pairing(made_up_sources(), seed)
            return {
                (float(p.enrolled[Modality.ECG].signal[0]), p.enrolled[Modality.FACE].image) for p in people
            }

        assert pairs(0) != pairs(1)

    def test_all_combinations_single_ones_first(self):
        found = combinations_of([Modality.ECG, Modality.FACE, Modality.FINGERPRINT])

        assert [len(chosen) for chosen in found] == [1, 1, 1, 2, 2, 2, 3]


class TestNoise:
    def test_the_stated_share_of_pixels_turns_black(self):
        image = blackened(white(200, 200), 0.05, np.random.default_rng(0))

        pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert set(np.unique(pixels)) == {0, 255}
        assert float((pixels == 0).mean()) == pytest.approx(0.05, abs=0.005)

    def test_noise_is_a_tenth_of_the_height_of_the_beats(self):
        signal = np.zeros(2500, np.float32)
        signal[::250] = 2.0

        noise = noisy_ecg(signal, np.random.default_rng(0), 250.0) - signal

        assert float(noise.std()) == pytest.approx(0.2, rel=0.1)

    def test_a_capture_gets_its_noise_once(self):
        noisy, strip = NoisyProbes(), EcgStrip(np.arange(500, dtype=np.float32), 250.0)

        assert noisy.of(strip) is noisy.of(strip)
        assert isinstance(noisy.of(FingerprintImage(white(), dpi=500)), FingerprintImage)


class TestKeepingEncoder:
    def test_a_capture_is_encoded_once_and_a_refusal_is_repeated(self):
        calls = []

        class Inner:
            encoder_id = "made-up@1"

            def encode(self, capture):
                calls.append(capture)
                if capture.image == b"bad":
                    raise FailureToAcquireError("no", code="no_face")
                return Encoding(np.ones(1, np.float32), Evidence(1.0, IMAGES, 1.0))

        encoder, good, bad = KeepingEncoder(Inner()), FaceImage(b"good"), FaceImage(b"bad")

        assert encoder.encode(good) is encoder.encode(good)
        for _ in range(2):
            with pytest.raises(FailureToAcquireError):
                encoder.encode(bad)
        assert calls == [good, bad]
        assert encoder.encoder_id == "made-up@1"


class TestFigures:
    def counts(self, mated, non_mated, non_matches):
        return Counts(
            mated=mated,
            non_mated=non_mated,
            non_matches=non_matches,
            identified=1,
            searches=2,
            strangers=2,
            positives={0.01: 0, 0.05: 1},
        )

    def test_shares_are_over_all_pairings(self):
        row = figures([self.counts([9.0, 8.0], [0.0, 1.0], 0), self.counts([7.0, -np.inf], [2.0, 3.0], 1)])

        assert row["fnmr"]["share"] == 0.25
        assert row["fnmr"]["interval_95"] == [0.0, 0.5]
        assert row["identified"]["share"] == 0.5
        assert row["fpir_at_0.05"]["count"] == 2
        assert row["fnmr_at_equal_fmr"]["0.001"] == 0.25

    def test_the_page_on_accuracy_reads_them(self):
        found = figures([self.counts([9.0, 8.0], [0.0, 1.0], 0), self.counts([7.0, -np.inf], [2.0, 3.0], 1)])
        kept = {"pairings": 2, "people": 58, "clean": {"ecg+face+fingerprint": found, "ecg": found}}

        shown = virtual_people(results(virtual_people=kept))

        assert "| clean | ecg + face + fingerprint |" in shown
        assert "| clean | ecg |" in shown

    def test_the_best_single_modality_misses_fewest(self):
        rows = {
            name: {"fnmr_at_equal_fmr": {"0.001": missed}}
            for name, missed in {"ecg": 0.2, "face": 0.1, "ecg+face": 0.0}.items()
        }

        assert best_single(rows) == "face"
