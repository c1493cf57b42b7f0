"""Local binary patterns, counted slowly."""

import numpy as np

from ml.runtime.face.drawn_face import drawn_face_file
from ml.runtime.face.lbp_preparation import CELLS, PATTERNS, LbpPreparation, pattern_histograms
from ml.runtime.face.raw_face import RawFace


def code_at(grey: np.ndarray, y: int, x: int) -> int:
    around = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]
    return sum(int(grey[y + dy, x + dx] >= grey[y, x]) << bit for bit, (dy, dx) in enumerate(around))


def is_uniform(code: int) -> bool:
    bits = [code >> k & 1 for k in range(8)]
    return sum(bits[k] != bits[k - 1] for k in range(8)) <= 2


class TestPatternHistograms:
    def test_it_counts_each_cell_as_a_loop_does(self):
        grey = np.random.default_rng(3).integers(0, 256, (23, 23)).astype(np.uint8)  # 21×21 inner pixels.
        uniform = [code for code in range(256) if is_uniform(code)]
        expected = np.zeros((CELLS * CELLS, PATTERNS))
        for y in range(21):
            for x in range(21):
                code = code_at(grey, y + 1, x + 1)
                pattern = uniform.index(code) if code in uniform else PATTERNS - 1
                expected[(y * CELLS // 21) * CELLS + x * CELLS // 21, pattern] += 1 / 9

        found = pattern_histograms(grey)

        assert np.allclose(found.reshape(expected.shape), expected)

    def test_there_are_58_uniform_patterns_and_the_rest(self):
        assert sum(is_uniform(code) for code in range(256)) == PATTERNS - 1


class TestLbpPreparation:
    def test_a_picture_is_one_image_of_evidence(self):
        prepared = LbpPreparation().prepare(RawFace(drawn_face_file(3)))

        assert (prepared.evidence.amount, prepared.evidence.unit) == (1.0, "images")
        assert prepared.inputs["histograms"].shape == (1, CELLS * CELLS * PATTERNS)
