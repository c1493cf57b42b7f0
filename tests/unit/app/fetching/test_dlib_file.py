"""dlib's format, written here as its reader expects it, with a network of small numbers."""

import struct

import numpy as np
import onnxruntime as ort
import pytest

from app.fetching.dlib_file import layer_names, read_dlib_network
from app.fetching.dlib_network import embedding_network
from app.fetching.errors import WrongBytesError

STAGES = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))


def whole(value: int) -> bytes:
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (128 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def real(value: float) -> bytes:
    mantissa, exponent = np.frexp(value)
    return whole(int(mantissa * 2**24)) + whole(int(exponent) - 24)


def text(value: str) -> bytes:
    return whole(len(value)) + value.encode()


def tensor(values: np.ndarray) -> bytes:
    sizes = (*values.shape, *(1 for _ in range(4 - values.ndim)))
    return whole(2) + b"".join(map(whole, sizes)) + values.astype("<f4").tobytes()


EMPTY = whole(2) + whole(0) * 4
VIEW = whole(1) + whole(1) * 4
RATES = real(1.0) * 4
AFTER = b"000" + EMPTY * 3


def convolution(rng, filters, channels, side, *, stride, pad):
    weights = rng.normal(0, (channels * side * side) ** -0.5, filters * channels * side * side)
    parameters = np.concatenate([weights, rng.normal(0, 0.1, filters)])
    shape = b"".join(map(whole, (filters, side, side, stride, stride, pad, pad)))
    return text("con_4") + tensor(parameters) + shape + VIEW * 2 + RATES + AFTER


def affine(rng, filters):
    values = np.concatenate([rng.normal(1, 0.1, filters), rng.normal(0, 0.1, filters)])
    return text("affine_") + tensor(values) + VIEW * 2 + whole(0) + AFTER


def pool(kind, side, stride):
    return text(f"{kind}_pool_2") + b"".join(map(whole, (side, side, stride, stride, 0, 0))) + AFTER


def dlib_file() -> bytes:
    rng = np.random.default_rng(2)
    names = layer_names()
    versions = b"".join(
        whole({"con0": 3, "tag1": 1, "tag2": 1, "skip1": 1}.get(n, 2)) for n in reversed(names)
    )
    head = whole(1) + text("loss_metric_2") + real(0.04) + real(0.6) + versions
    head += text("input_rgb_image_sized") + real(122.8) + real(117.0) + real(104.3) + whole(150) * 2
    relu, add = text("relu_") + AFTER, text("add_prev_") + AFTER
    body = convolution(rng, 32, 3, 7, stride=2, pad=0) + whole(1) + affine(rng, 32) + relu + pool("max", 3, 2)
    channels = 32
    for stage, (filters, units) in enumerate(STAGES):
        for unit in range(units):
            down = stage > 0 and unit == 0
            first = (2, 0) if down else (1, 1)
            body += (
                convolution(rng, filters, channels, 3, stride=first[0], pad=first[1])
                + affine(rng, filters)
                + relu
            )
            body += convolution(rng, filters, filters, 3, stride=1, pad=1) + affine(rng, filters)
            body += (pool("avg", 2, 2) if down else b"") + add + relu
            channels = filters
    product = text("fc_2") + whole(128) + whole(256) + tensor(rng.normal(0, 0.1, (256, 128)))
    return head + body + pool("avg", 0, 1) + product + VIEW * 2 + whole(1) + RATES + AFTER


FILE = dlib_file()


class TestReadDlibNetwork:
    def test_all_layers_are_read(self):
        network = read_dlib_network(FILE)

        assert tuple(layer.name for layer in network.layers) == layer_names()
        assert sum(layer.kind == "con" for layer in network.layers) == 29
        assert network.size == (150, 150)
        assert network.mean_rgb == pytest.approx((122.8, 117.0, 104.3))

    @pytest.mark.parametrize("end", [0, 1, 40, 5_000, len(FILE) - 1])
    def test_a_file_that_ends_early_is_refused(self, end):
        with pytest.raises(WrongBytesError):
            read_dlib_network(FILE[:end])

    def test_bytes_behind_the_end_are_refused(self):
        with pytest.raises(WrongBytesError, match="bytes that remain: expected 0, found 3"):
            read_dlib_network(FILE + b"abc")

    def test_another_network_is_refused(self):
        with pytest.raises(WrongBytesError, match="loss: expected 'loss_metric_2'"):
            read_dlib_network(FILE.replace(b"loss_metric_2", b"loss_metric_9"))


class TestEmbeddingNetwork:
    def test_it_gives_a_vector_of_128_numbers_for_each_image(self):
        session = ort.InferenceSession(embedding_network(FILE), providers=["CPUExecutionProvider"])
        images = np.random.default_rng(1).uniform(0, 255, (2, 3, 150, 150)).astype(np.float32)

        found = session.run(None, {"image": images})[0]

        assert found.shape == (2, 128)
        assert np.isfinite(found).all()
        assert not np.allclose(found[0], found[1])

    def test_numbers_are_read_as_they_are_written(self):
        """The format's own example: −3 is one byte of length with the sign, and the byte 3."""
        assert whole(-3) == struct.pack("BB", 0x81, 3)
