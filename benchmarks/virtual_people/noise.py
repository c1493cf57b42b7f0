"""The noise of the multimodal paper, section 4.2.1."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

ECG_SHARE = 0.1
FINGERPRINT_SHARE = 0.05
FACE_SHARE = 0.97


def noisy_ecg(
    signal: NDArray[np.float32], generator: np.random.Generator, fs_hz: float
) -> NDArray[np.float32]:
    """Add white noise of a tenth of the QRS height, the paper's 0.1 of a normalized complex.

    Args:
        signal: Float32, shape (n_samples,).
        generator: Of the noise.
        fs_hz: Sampling rate; the height is the median over seconds of the range within one.
    """
    second = round(fs_hz)
    whole = signal[: signal.size // second * second].reshape(-1, second)
    height = float(np.median(np.ptp(whole, axis=1)))
    noise = generator.standard_normal(signal.size, dtype=np.float32)
    return np.asarray(signal + np.float32(ECG_SHARE * height) * noise, dtype=np.float32)


def blackened(image: bytes, share: float, generator: np.random.Generator) -> bytes:
    """Turn a share of the pixels of a picture black; gives a PNG."""
    pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    pixels = np.where(generator.random(pixels.shape) < share, 0, pixels).astype(np.uint8)
    return bytes(cv2.imencode(".png", pixels)[1])
