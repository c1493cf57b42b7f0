"""What a recording is good for, in codes and in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.domain.captures import EcgFacts
from ml.runtime.evidence import Evidence


@dataclass(frozen=True)
class QualityReport:
    """One recording's quality.

    Attributes:
        reasons: Codes of what lowers the quality; of a rejected recording, the sentence that says why.
        explanations: The same for people, with what to do about it.
        code: Why it was rejected.
        facts: What the modality knows of the recording beside identity; opaque, and never in a `repr`.
    """

    accepted: bool
    score: float
    reasons: tuple[str, ...]
    explanations: tuple[str, ...] = ()
    code: str | None = None
    evidence: Evidence | None = None
    facts: object | None = field(default=None, repr=False, compare=False)

    @property
    def heart_rate_bpm(self) -> float | None:
        """Of an ECG with at least two accepted beats."""
        return self.facts.heart_rate_bpm if isinstance(self.facts, EcgFacts) else None


@dataclass(frozen=True)
class Finding:
    """One thing that lowers the quality: a stable code, and a sentence with what was measured."""

    code: str
    sentence: str


_ADVICE = {
    "signal_flat": "Part of the strip does not change. Check that the electrodes touch the skin.",
    "signal_saturated": "Part of the strip sits at the limit of the amplifier. Lower the gain.",
    "samples_missing": "Too many samples of a part of the strip are missing. Check the connection.",
    "too_many_impulses": "Single samples jump. Check the connection; send lost samples as null or NaN.",
    "signal_too_short": "The strip is too short. Record at least 3 seconds, better 10.",
    "signal_not_finite": "The strip holds infinite values.",
    "sampling_rate_unsupported": "Record with 100 to 2000 samples a second.",
    "no_heartbeat": "Part of the strip shows no heartbeat. Check that the electrodes touch the skin.",
    "paced_rhythm": "The strip shows a pacemaker. Paced hearts beat too much alike: use face or fingerprint.",
    "quality_too_low": "Part of the recording is too poor to compare. Keep still and try again.",
    "implausible_heart_rate": "The heart rate is unusual at rest. Check the sampling rate.",
    "implausible_beat_width": "The beats are unusually narrow or broad. Check the sampling rate.",
    "repeated_values": "Every second sample repeats or hardly changes. Check how the samples are read.",
    "image_undecodable": "The file is no picture that can be read. Send it as JPEG or PNG, undamaged.",
    "image_too_large": "The picture has too many pixels. Scale it down before sending it.",
    "dpi_required": "Say at how many dots per inch the fingerprint was taken.",
    "dpi_implausible": "The ridges are not as far apart as those of fingers. Check the dots per inch.",
    "no_fingerprint": "No ridges can be seen. Clean the sensor and lay the finger flat on it.",
    "fingerprint_mirrored": "The print is mirrored. Send it as the finger looks from below.",
    "no_face": "No face can be seen. Look into the camera, with light from the front.",
    "multiple_faces": "There are several faces in the picture. Only one person may be in it.",
    "face_too_small": "The face is too small. Come closer.",
    "face_turned_away": "The face is turned away. Look straight into the camera.",
    "blurred": "The picture is blurred. Hold the camera still, and clean its lens.",
    "dry": "The ridges are broken, as on a dry finger. Moisten it or press a little harder.",
    "wet": "The ridges run together, as on a wet finger. Dry it or press less.",
    "modality_unavailable": "This service has no encoder for this kind of recording.",
}


def explain(reasons: Iterable[str], findings: Iterable[Finding] = ()) -> tuple[str, ...]:
    """A sentence for each code that has one; those with measured values go before the general ones."""
    sentences = _ADVICE | {finding.code: finding.sentence for finding in findings}
    return tuple(sentences[code] for code in dict.fromkeys(reasons) if code in sentences)


def explain_rejection(code: str) -> tuple[str, ...]:
    """The sentence for the code of a rejected recording, if it has one: what it says holds for all of it."""
    return tuple(sentence.replace("Part of the", "The", 1) for sentence in explain((code,)))
