"""The fetched face networks: OpenCV's own numbers, in color; refusals; and how fast."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.fetching.obtaining import default_cache
from app.fetching.pins import SFACE, YUNET
from ml.data.faces import read_cmu, read_yale
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.runtime.face.drawn_face import drawn_face, drawn_face_file
from ml.runtime.face.errors import FaceTooSmallError, FaceTurnedAwayError, MultipleFacesError, NoFaceError
from ml.runtime.face.raw_face import RawFace

COLORS = (1.0, 0.6, 0.35)
"""Tints that tell the order of channels apart."""


@pytest.fixture(scope="module")
def encoder(face_bundle) -> BundledEncoder:
    return load_bundle(face_bundle)


@pytest.fixture(scope="module")
def original(face_bundle, tmp_path_factory) -> Path:
    """The files as OpenCV reads them, under names it knows."""
    folder = tmp_path_factory.mktemp("original")
    for file in (SFACE, YUNET):
        (folder / file.name).write_bytes((default_cache() / file.sha256).read_bytes())
    return folder


@pytest.fixture(scope="module")
def opencv_encoder(original):
    return cv2.FaceRecognizerSF.create(str(original / SFACE.name), "")


def colored_crops() -> np.ndarray:
    """Drawn faces in several tints, uint8, shape (n, 112, 112, 3)."""
    crops = [cv2.resize(drawn_face(person), (112, 112), interpolation=cv2.INTER_AREA) for person in range(4)]
    tints = [np.roll(COLORS, k) for k in range(3)]
    return np.stack([(crop * tint).astype(np.uint8) for crop in crops for tint in tints])


def png(pixels: np.ndarray) -> RawFace:
    return RawFace(cv2.imencode(".png", pixels)[1].tobytes())


class TestEqualityWithOpenCv:
    def test_vectors_of_colored_crops(self, encoder, opencv_encoder):
        for crop in colored_crops():
            theirs = opencv_encoder.feature(crop)[0].astype(np.float64)

            ours = encoder.vector({"image": encoder.preparation._wanted.of(crop)})

            assert np.abs(ours - theirs / np.linalg.norm(theirs)).max() < 1e-5

    def test_landmarks_of_colored_pictures(self, encoder, original):
        detector = cv2.FaceDetectorYN.create(str(original / YUNET.name), "", (320, 320), 0.5, 0.3)
        for person, tint in enumerate([np.roll(COLORS, k) for k in range(3)]):
            pixels = (drawn_face(person, size=320) * tint).astype(np.uint8)
            _, theirs = detector.detect(pixels)

            ours = encoder.preparation._detector.detect(pixels, 0.5)

            assert len(ours) == len(theirs) == 1
            assert np.abs(ours[0].landmarks - theirs[0][4:14].reshape(5, 2)).max() < 1e-3
            assert np.abs(ours[0].box - theirs[0][:4]).max() < 1e-3

    def test_the_order_of_colors_matters(self, encoder):
        crop = colored_crops()[0]

        right, wrong = (
            encoder.vector({"image": encoder.preparation._wanted.of(np.ascontiguousarray(one))})
            for one in (crop, crop[..., ::-1])
        )

        assert right @ wrong < 0.99


class TestRefusals:
    def test_a_picture_of_nothing(self, encoder):
        with pytest.raises(NoFaceError):
            encoder.encode(png(np.full((240, 320, 3), 127, dtype=np.uint8)))

    def test_two_faces_side_by_side(self, encoder):
        with pytest.raises(MultipleFacesError):
            encoder.encode(png(np.hstack([drawn_face(1), drawn_face(2)])))

    def test_a_face_of_few_pixels(self, encoder):
        far = cv2.copyMakeBorder(drawn_face(1, size=40), 140, 140, 140, 140, cv2.BORDER_REPLICATE)

        with pytest.raises((FaceTooSmallError, NoFaceError)):
            encoder.encode(png(far))

    def test_a_small_face_in_a_large_picture_is_found_at_the_second_look(self, encoder):
        small = drawn_face(1, size=130)
        large = cv2.copyMakeBorder(small, 480, 480, 480, 480, cv2.BORDER_REPLICATE)

        assert encoder.encode(png(large)).facts.face.eye_distance == pytest.approx(29, abs=4)


class TestPeople:
    def test_a_jpeg_of_a_large_picture_is_the_same_face(self, encoder):
        pixels = cv2.resize(drawn_face(3, size=480), (960, 960), interpolation=cv2.INTER_CUBIC)
        large = cv2.copyMakeBorder(pixels, 0, 0, 160, 160, cv2.BORDER_REPLICATE)  # 1280×960.
        jpeg = RawFace(cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())

        one, other = (encoder.encode(capture) for capture in (RawFace(drawn_face_file(3, size=480)), jpeg))

        assert one.vector @ other.vector > 0.95

    def test_it_is_a_unit_vector_and_says_nothing_of_itself(self, encoder):
        found = encoder.encode(RawFace(drawn_face_file()))

        assert np.linalg.norm(found.vector) == pytest.approx(1.0)
        assert repr(found).startswith("Encoding(vector=<128>, ")


@pytest.mark.real_data
class TestRealPeople:
    """Yale and CMU choose, so that a look at them costs nothing."""

    def test_people_of_yale_are_told_apart(self, encoder, data_dir):
        records = [
            r
            for r in read_yale(data_dir / "face" / "yalefaces")
            if r.labels["condition"] in ("normal", "sad")
        ]
        found = {r.record_id: encoder.encode(RawFace(r.image)).vector for r in records[:20]}
        people = np.array([name.split(".")[0] for name in found])
        cosine = np.stack(list(found.values())) @ np.stack(list(found.values())).T

        mated = (people[:, None] == people) & ~np.eye(len(people), dtype=bool)

        assert cosine[mated].min() > cosine[people[:, None] != people].max()

    def test_profiles_of_cmu_are_turned_away(self, encoder, data_dir):
        """Half of the small profiles, and no frontal face; enlarged, so that their size is not the reason."""
        records = [r for r in read_cmu(data_dir / "face" / "cmu_faces_half") if r.labels["eyes"] == "eyes"]

        def refused(pose: str) -> float:
            chosen = [r for r in records if r.labels["pose"] == pose][:24]
            return sum(self._is_turned_away(encoder, r.path) for r in chosen) / len(chosen)

        assert refused("forward") == 0.0
        assert refused("left") > 0.4

    def _is_turned_away(self, encoder, path) -> bool:
        pixels = cv2.resize(cv2.imread(str(path)), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
        try:
            encoder.encode(png(pixels))
        except FaceTurnedAwayError:
            return True
        except NoFaceError:
            return False
        return False


class TestDlib:
    def test_it_encodes_behind_the_same_port(self, face_dlib_bundle):
        encoder = load_bundle(face_dlib_bundle)

        same, other = (encoder.encode(RawFace(drawn_face_file(*one))).vector for one in ((1,), (2,)))

        assert same.shape == (128,)
        assert same @ encoder.encode(RawFace(drawn_face_file(1, take=1))).vector > same @ other
