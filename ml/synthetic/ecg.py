"""Synthetic ECG of computed people, for demo, load and tests without recordings.

A dynamical model. The state runs around a circle once per heartbeat; each of the waves P, Q, R, S and T pulls
the third coordinate, the ECG, up or down when the phase passes its angle. Phase and pull are integrated in
closed form instead of step by step: a heart started on the circle never leaves it.

A person is drawn once (`SyntheticPerson.draw`): delay, width and height of the five waves, heart rate and its
variability, breathing. Drawn per session: electrode gain and placement, heart rate. Drawn per recording, by
seed: the beats' timing and the noise.

The parameters come from published ranges and measurements only. They were never adjusted to favor an encoder:
some of these people are hard to distinguish. Error rates measured on them do not carry over to real people.

Source:
    McSharry et al. 2003, "A dynamical model for generating synthetic electrocardiogram signals", IEEE Trans.
    Biomed. Eng. 50(3): equations 1-3; table I and section III (shape of the beat, RR spectrum).
    Sameni et al. 2007, "Multichannel ECG and noise modeling", EURASIP J. Adv. Signal Process. 043407,
    equation 2: wave heights in millivolts that do not depend on heart rate.
    Delays and widths: AHA/ACCF/HRS recommendations 2009, parts III and IV, and the usual normal limits of
    adults at rest (PR 120-200 ms, QRS 70-110 ms, QTc 350-450 ms, P up to 120 ms), of which two standard
    deviations of the ranges below stay about inside.
    Heights: the middle, and about a quarter of the span from 2nd to 98th percentile, of the median beats in
    lead I of the 143 people in sinus rhythm of LUDB (Kalyakulina et al. 2020); with R a fifth higher, since Q
    and S take that much off it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray
from scipy.signal import lfilter

FloatArray = NDArray[np.float64]

# Finer than any feature of a wave (the narrowest is 6 ms), so that the requested rate changes nothing.
INTERNAL_FS_HZ = 1000.0
# The ECG decays to its baseline with 1 s (McSharry, equation 1); by then the start has been forgotten.
RUN_IN_S = 5.0
# The ranges below hold at 60 beats per minute: one turn of the circle takes one second.
REFERENCE_RATE_BPM = 60.0
TACHOGRAM_FS_HZ = 4.0
MIN_TACHOGRAM_S = 128.0
# Center of the low-frequency (Mayer wave) peak, and standard deviation of both peaks (McSharry, section III).
LF_HZ = 0.1
PEAK_WIDTH_HZ = 0.01
MIN_HEART_RATE_BPM, MAX_HEART_RATE_BPM = 30.0, 200.0

# Separate streams of random numbers, so that more noise does not move the beats.
_PERSON, _SESSION, _BEATS, _NOISE = range(4)


@dataclass(frozen=True)
class Range:
    """A normally distributed parameter, cut at two standard deviations."""

    mean: float
    sd: float

    def draw(self, rng: Generator) -> float:
        """One value inside mean ± 2 sd."""
        return self.mean + self.sd * float(np.clip(rng.standard_normal(), -2.0, 2.0))


@dataclass(frozen=True)
class Wave:
    """One of P, Q, R, S, T: time after the R peak and Gaussian width at 60 beats per minute, and height."""

    delay_ms: float
    width_ms: float
    height_mv: float


@dataclass(frozen=True)
class WaveRange:
    """The people's range of a wave, and by how many milliseconds a session may shift it (one sd)."""

    delay_ms: Range
    width_ms: Range
    height_mv: Range
    session_shift_ms: float

    def draw(self, rng: Generator) -> Wave:
        """The wave of one person."""
        return Wave(self.delay_ms.draw(rng), self.width_ms.draw(rng), self.height_mv.draw(rng))


WAVES: dict[str, WaveRange] = {
    "P": WaveRange(Range(-145.0, 16.0), Range(24.0, 3.0), Range(0.08, 0.04), session_shift_ms=2.0),
    "Q": WaveRange(Range(-30.0, 3.5), Range(8.5, 1.2), Range(-0.05, 0.04), session_shift_ms=0.5),
    "R": WaveRange(Range(0.0, 0.0), Range(11.0, 1.6), Range(0.80, 0.20), session_shift_ms=0.0),
    "S": WaveRange(Range(32.0, 4.0), Range(9.0, 1.4), Range(-0.11, 0.07), session_shift_ms=0.5),
    "T": WaveRange(Range(275.0, 16.0), Range(42.0, 6.0), Range(0.17, 0.11), session_shift_ms=3.0),
}
RESTING_RATE_BPM = Range(70.0, 8.0)
# Standard deviation of RR over its mean: 20-60 ms at rest (Task Force 1996, short recordings).
RR_VARIATION = Range(0.040, 0.010)
LF_HF_RATIO = Range(0.8, 0.25)
BREATHING_HZ = Range(0.25, 0.03)
BREATHING_MV = Range(0.10, 0.03)
# Sessions: skin contact scales all waves; the electrode's place changes each wave a little.
SESSION_GAIN_SD = 0.12
SESSION_HEIGHT_SD = 0.07
SESSION_WIDTH_SD = 0.02
SESSION_RATE_SD_BPM = 4.0


@dataclass(frozen=True)
class Noise:
    """Disturbances added to the heart's signal.

    Attributes:
        wander_mv: Root mean square of baseline wander below 0.5 Hz.
        mains_mv: Amplitude of the interference from the mains.
        mains_hz: Mains frequency; left out where half the sampling rate does not exceed it.
        muscle_snr_db: Power of the ECG over that of muscle noise, 20 Hz and up; infinite for none.
    """

    wander_mv: float = 0.05
    mains_mv: float = 0.01
    mains_hz: float = 50.0
    muscle_snr_db: float = 20.0


NO_NOISE = Noise(wander_mv=0.0, mains_mv=0.0, muscle_snr_db=math.inf)


@dataclass(frozen=True)
class SyntheticPerson:
    """A computed person; equal seeds give equal people."""

    seed: int
    waves: tuple[Wave, ...]
    resting_rate_bpm: float
    rr_variation: float
    lf_hf_ratio: float
    breathing_hz: float
    breathing_mv: float

    @classmethod
    def draw(cls, seed: int) -> SyntheticPerson:
        """Draw a person; the seed is any integer ≥ 0."""
        rng = _stream(_PERSON, seed)
        return cls(
            seed=seed,
            waves=tuple(wave.draw(rng) for wave in WAVES.values()),
            resting_rate_bpm=RESTING_RATE_BPM.draw(rng),
            rr_variation=RR_VARIATION.draw(rng),
            lf_hf_ratio=LF_HF_RATIO.draw(rng),
            breathing_hz=BREATHING_HZ.draw(rng),
            breathing_mv=BREATHING_MV.draw(rng),
        )

    def in_session(self, session: int) -> SyntheticPerson:
        """Return the same person with the electrodes placed again, on another day."""
        rng = _stream(_SESSION, self.seed, session)
        gain = math.exp(SESSION_GAIN_SD * rng.standard_normal())
        waves = tuple(
            _shifted(wave, ranges.session_shift_ms, gain, rng)
            for wave, ranges in zip(self.waves, WAVES.values(), strict=True)
        )
        rate_bpm = self.resting_rate_bpm + SESSION_RATE_SD_BPM * rng.standard_normal()
        return replace(self, waves=waves, resting_rate_bpm=rate_bpm)

    def record(
        self,
        duration_s: float,
        fs_hz: float,
        *,
        heart_rate_bpm: float | None = None,
        session: int = 0,
        noise: Noise | None = None,
        seed: int = 0,
    ) -> NDArray[np.float32]:
        """Compute a recording.

        Args:
            duration_s: Length.
            fs_hz: Sampling rate.
            heart_rate_bpm: Mean rate, 30 to 200; by default the person's own of that session.
            session: Recordings of one session share gain and electrode placement.
            noise: Disturbances; `NO_NOISE` for none, by default a calm recording at rest.
            seed: Another seed gives another recording of the session.

        Returns:
            Millivolts, float32, shape (round(duration_s × fs_hz),). Equal arguments give equal samples, to
            within rounding of the platform's exp and sin.

        Raises:
            ValueError: Duration or rate not positive, or a heart rate that the model does not cover.
        """
        if not (duration_s > 0 and fs_hz > 0):
            raise ValueError(f"expected a positive duration and rate, found {duration_s} s at {fs_hz} Hz")
        heart = self.in_session(session)
        rate_bpm = heart.resting_rate_bpm if heart_rate_bpm is None else heart_rate_bpm
        if not MIN_HEART_RATE_BPM <= rate_bpm <= MAX_HEART_RATE_BPM:
            raise ValueError(f"expected a heart rate of 30 to 200 per minute, found {rate_bpm}")
        n_samples = round(duration_s * fs_hz)
        ecg_mv = _beat(heart, n_samples, fs_hz, rate_bpm, _stream(_BEATS, self.seed, session, seed))
        ecg_mv += _noise(ecg_mv, fs_hz, noise or Noise(), _stream(_NOISE, self.seed, session, seed))
        return ecg_mv.astype(np.float32)


def _stream(*key: int) -> Generator:
    # PCG64 under a SeedSequence is the same on every platform and in every release of numpy.
    return Generator(PCG64(SeedSequence(key)))


def _shifted(wave: Wave, shift_sd_ms: float, gain: float, rng: Generator) -> Wave:
    shift, height, width = rng.standard_normal(3)
    return Wave(
        delay_ms=wave.delay_ms + shift_sd_ms * shift,
        width_ms=wave.width_ms * (1.0 + SESSION_WIDTH_SD * width),
        height_mv=wave.height_mv * gain * (1.0 + SESSION_HEIGHT_SD * height),
    )


def _beat(
    heart: SyntheticPerson, n_samples: int, fs_hz: float, rate_bpm: float, rng: Generator
) -> FloatArray:
    """Integrate the model and return the ECG in mV, shape (n_samples,)."""
    oversampling = max(1, math.ceil(INTERNAL_FS_HZ / fs_hz))
    internal_fs_hz = fs_hz * oversampling
    run_in = round(RUN_IN_S * fs_hz) * oversampling
    time_s = np.arange(run_in + (n_samples - 1) * oversampling + 1) / internal_fs_hz

    rr_s = tachogram(heart, time_s[-1], rate_bpm, rng)
    start, breathing_start = rng.uniform(-np.pi, np.pi, 2)
    # ω(t) = 2π / RR(t) (equation 3); on the limit cycle the phase is its integral.
    omega = 2.0 * np.pi / np.interp(time_s, np.arange(rr_s.size) / TACHOGRAM_FS_HZ, rr_s)
    phase = start + np.cumsum(omega) / internal_fs_hz
    breathing = heart.breathing_mv * np.sin(2.0 * np.pi * heart.breathing_hz * time_s + breathing_start)

    pull = _pull(heart.waves, phase, omega, rate_bpm) + breathing
    # dz/dt = pull − z: exact for a pull that is constant over each step.
    decay = math.exp(-1.0 / internal_fs_hz)
    ecg_mv: FloatArray = lfilter([1.0 - decay], [1.0, -decay], pull)
    return ecg_mv[run_in::oversampling].copy()


def _pull(waves: tuple[Wave, ...], phase: FloatArray, omega: FloatArray, rate_bpm: float) -> FloatArray:
    """Σ −h ω/b² Δθ exp(−Δθ²/2b²), the waves' part of dz/dt in mV/s."""
    # QT follows √RR (Bazett), so angles and widths, which are fractions of RR, grow with √rate. P moves less
    # than that (as in the authors' program ECGSYN), which keeps it clear of the T before it.
    qt_stretch = math.sqrt(rate_bpm / REFERENCE_RATE_BPM)
    stretches = [math.sqrt(qt_stretch), qt_stretch, 1.0, qt_stretch, qt_stretch]
    pull = np.zeros_like(phase)
    for wave, stretch in zip(waves, stretches, strict=True):
        angle = 2.0 * np.pi * wave.delay_ms / 1000.0 * stretch
        width = 2.0 * np.pi * wave.width_ms / 1000.0 * qt_stretch
        distance = (phase - angle + np.pi) % (2.0 * np.pi) - np.pi
        pull -= wave.height_mv / width**2 * distance * np.exp(-0.5 * (distance / width) ** 2)
    return pull * omega


def tachogram(heart: SyntheticPerson, duration_s: float, rate_bpm: float, rng: Generator) -> FloatArray:
    """Return RR intervals over time, with a Mayer-wave and a breathing peak in their spectrum.

    Args:
        heart: Sets variability, balance of the two peaks (LF/HF) and breathing rate.
        duration_s: Least length.
        rate_bpm: 60 / mean RR.
        rng: Draws the phases.

    Returns:
        Seconds, float64, at `TACHOGRAM_FS_HZ`.

    Source:
        McSharry et al. 2003, equation 4: two Gaussians of given power, random phases, inverse transform.
    """
    n = math.ceil((max(duration_s, MIN_TACHOGRAM_S) + 1.0) * TACHOGRAM_FS_HZ)
    frequency_hz = np.fft.rfftfreq(n, 1.0 / TACHOGRAM_FS_HZ)
    low = heart.lf_hf_ratio * np.exp(-0.5 * ((frequency_hz - LF_HZ) / PEAK_WIDTH_HZ) ** 2)
    high = np.exp(-0.5 * ((frequency_hz - heart.breathing_hz) / PEAK_WIDTH_HZ) ** 2)
    spectrum = np.sqrt(low + high) * np.exp(2j * np.pi * rng.random(frequency_hz.size))
    spectrum[0] = 0.0
    variation = np.fft.irfft(spectrum, n)
    mean_rr_s = 60.0 / rate_bpm
    rr_s: FloatArray = mean_rr_s * (1.0 + heart.rr_variation * variation / variation.std())
    return rr_s


def _noise(ecg_mv: FloatArray, fs_hz: float, noise: Noise, rng: Generator) -> FloatArray:
    wander = noise.wander_mv * _band_noise(ecg_mv.size, fs_hz, 0.05, 0.5, rng)
    muscle_mv = float(ecg_mv.std()) * 10.0 ** (-noise.muscle_snr_db / 20.0)
    muscle = muscle_mv * _band_noise(ecg_mv.size, fs_hz, 20.0, 200.0, rng)
    phase = rng.uniform(-np.pi, np.pi)
    hears_mains = fs_hz / 2.0 > noise.mains_hz
    time_s = np.arange(ecg_mv.size) / fs_hz
    mains = noise.mains_mv * hears_mains * np.sin(2.0 * np.pi * noise.mains_hz * time_s + phase)
    total: FloatArray = wander + muscle + mains
    return total


def _band_noise(n_samples: int, fs_hz: float, low_hz: float, high_hz: float, rng: Generator) -> FloatArray:
    """Gaussian noise of unit power between two frequencies; zeros where the strip cannot hold the band."""
    frequency_hz = np.fft.rfftfreq(n_samples, 1.0 / fs_hz)
    normal = rng.standard_normal((2, frequency_hz.size))
    inside = (frequency_hz >= low_hz) & (frequency_hz <= high_hz)
    noise: FloatArray = np.fft.irfft(np.where(inside, normal[0] + 1j * normal[1], 0.0), n_samples)
    power = float(noise.std())
    return noise / power if power > 0 else noise
