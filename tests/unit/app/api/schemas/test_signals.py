"""Signals of requests become float32 arrays, or are refused."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic_core import PydanticCustomError

from app.api.schemas.signals import SampleType, check_samples, decode_base64, signal_from_base64
from ml.runtime.ecg.signal.conditioning import condition
from tests.heartbeats import strip


def encoded(samples):
    return base64.b64encode(samples.tobytes()).decode()


def refusal_of(work):
    """The code of the refusal, None without one."""
    try:
        work()
    except PydanticCustomError as refused:
        return refused.type
    return None


def in_lines(text, width, end):
    return "".join(text[at : at + width] + end for at in range(0, len(text), width))


WRITERS = {
    "plain": lambda content: base64.b64encode(content).decode(),
    "android.util.Base64.DEFAULT": lambda content: in_lines(base64.b64encode(content).decode(), 76, "\n"),
    "java.util.Base64.getMimeEncoder": lambda content: in_lines(
        base64.b64encode(content).decode(), 76, "\r\n"
    ).rstrip(),
    "PEM": lambda content: in_lines(base64.b64encode(content).decode(), 64, "\n"),
    "URL-safe": lambda content: base64.urlsafe_b64encode(content).decode(),
    "URL-safe, in lines": lambda content: in_lines(base64.urlsafe_b64encode(content).decode(), 76, "\n"),
    "URL-safe, unpadded": lambda content: base64.urlsafe_b64encode(content).decode().rstrip("="),
    "unpadded": lambda content: base64.b64encode(content).decode().rstrip("="),
}


class TestBase64:
    @pytest.mark.parametrize("writer", WRITERS)
    @given(content=st.binary(min_size=1, max_size=400))
    def test_of_any_writer_is_read(self, writer, content):
        assert decode_base64(WRITERS[writer](content)) == content

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("data:image/png;base64,AAAA", "data URI"),
            ("+_AA", "two alphabets"),
            ("AA A", "such as a space"),
            ("AAAAA", "length or padding"),
            ("AAA==", "length or padding"),
            ("ÄAAA", "not ASCII"),
        ],
    )
    def test_of_anything_else_the_reason_is_named(self, text, sentence):
        with pytest.raises(PydanticCustomError, match=sentence):
            decode_base64(text)


class TestSignalFromBase64:
    @given(arrays.arrays("<i2", st.integers(1, 50)))
    def test_int16_is_exact(self, samples):
        decoded = signal_from_base64(encoded(samples), SampleType.INT16)

        assert decoded.dtype == np.float32
        np.testing.assert_array_equal(decoded, samples)

    @given(arrays.arrays("<f4", st.integers(1, 50), elements=st.floats(-(2.0**39), 2.0**39, width=32)))
    def test_float32_is_exact(self, samples):
        np.testing.assert_array_equal(signal_from_base64(encoded(samples), SampleType.FLOAT32), samples)

    @given(arrays.arrays("<f4", st.integers(1, 50)))
    def test_float32_of_any_bits_is_a_signal_or_refused(self, samples):
        refusal = refusal_of(lambda: signal_from_base64(encoded(samples), SampleType.FLOAT32))

        if np.isinf(samples).any():
            assert refusal == "signal_not_finite"
        else:
            assert refusal == ("invalid_request" if (np.abs(samples) > 1e12).any() else None)

    def test_the_result_may_be_written_to(self):
        decoded = signal_from_base64(encoded(np.zeros(4, "<f4")), SampleType.FLOAT32)

        assert decoded.flags.writeable


class TestCheckSamples:
    @pytest.mark.parametrize("value", [1e12, -1e12, 0.0])
    def test_the_limits_are_inside(self, value):
        assert check_samples(np.float32([value])).size == 1

    @pytest.mark.parametrize("others", [[0.0, 1.0], [np.nan, 1.0], [np.nan]])
    @pytest.mark.parametrize("value", [np.inf, -np.inf])
    def test_one_infinite_value_is_enough(self, value, others):
        with pytest.raises(PydanticCustomError) as refused:
            check_samples(np.float32([*others, value]))

        assert refused.value.type == "signal_not_finite"

    @pytest.mark.parametrize("others", [[], [1.0, -1e12]])
    def test_missing_ones_are_none(self, others):
        assert check_samples(np.float32([np.nan, *others])).size == 1 + len(others)

    def test_a_missing_one_does_not_hide_one_beyond_the_limits(self):
        with pytest.raises(PydanticCustomError):
            check_samples(np.float32([np.nan, 2e12]))


class TestAnyUnit:
    @pytest.mark.parametrize(
        ("gain", "offset"),
        [(655 * 65536, 0.0), (1e6, 3e8), (1e6, 0.0), (1e-3, 0.0)],
        ids=["18 bits, left-justified", "nV and 300 mV", "nV", "V"],
    )
    def test_the_unit_of_a_heart_decides_nothing(self, gain, offset):
        ecg_mv = strip().ecg_mv

        quality = condition(check_samples((gain * ecg_mv + offset).astype(np.float32)), 250.0).quality

        assert quality.score == pytest.approx(condition(ecg_mv, 250.0).quality.score, abs=1e-3)


class TestDecodeBase64:
    @given(st.text())
    def test_any_text_is_bytes_or_refused(self, text):
        assert refusal_of(lambda: decode_base64(text)) in (None, "invalid_request")

    @given(st.binary())
    def test_bytes_come_back(self, content):
        assert decode_base64(base64.b64encode(content).decode()) == content
