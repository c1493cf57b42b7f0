"""Recordings as they arrive: one class per modality, `modality` tells which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from app.api.schemas.base import NamedEnum, OrAbsent, RequestSchema, tagged_union
from app.api.schemas.example_images import EXAMPLE_FACE_B64, EXAMPLE_FINGERPRINT_B64
from app.api.schemas.example_strips import EXAMPLE_RECORDING
from app.api.schemas.images import ImageBytes
from app.api.schemas.leads import AnyLead, Lead
from app.api.schemas.signals import SampleType, Signal, signal_from_base64
from app.api.schemas.timestamps import Timestamp
from app.domain.captures import Capture, EcgStrip, FaceImage, FingerprintImage
from app.domain.references import UNKNOWN_POSITION, Vector

MIN_FS_HZ, MAX_FS_HZ = 100.0, 2000.0
MAX_STRIP_S = 120.0
MAX_ACTIVITY_STRIP_S = 3600.0
# Of one request, whatever it is for: a probe may be of the same shape as an enrollment.
MAX_RECORDINGS = 24
MAX_TOTAL_S = 600.0
MIN_DPI, MAX_DPI = 100, 2000

Dpi = Annotated[int, Field(ge=MIN_DPI, le=MAX_DPI)]
Base64 = Annotated[str, Field(min_length=4, json_schema_extra={"contentEncoding": "base64"})]


class EcgUnit(NamedEnum):
    """Unit of the samples; amplitude never decides identity."""

    MILLIVOLT = "mV"
    MICROVOLT = "uV"
    RAW = "raw"


class Finger(NamedEnum):
    """Which finger; `unknown` compares with every finger."""

    UNKNOWN_FINGER = UNKNOWN_POSITION
    RIGHT_THUMB = "right_thumb"
    RIGHT_INDEX = "right_index"
    RIGHT_MIDDLE = "right_middle"
    RIGHT_RING = "right_ring"
    RIGHT_LITTLE = "right_little"
    LEFT_THUMB = "left_thumb"
    LEFT_INDEX = "left_index"
    LEFT_MIDDLE = "left_middle"
    LEFT_RING = "left_ring"
    LEFT_LITTLE = "left_little"


class EcgRecording(RequestSchema):
    """An ECG strip of one lead, 3 to 120 s.

    Send the samples once: either as numbers in `signal`, or as bytes in `signal_b64` with their `dtype`.
    A strip with both, or with neither, is refused with 422 `invalid_request`.
    """

    max_s: ClassVar[float] = MAX_STRIP_S

    modality: Literal["ecg"] = Field(description="Which biometric modality was captured.", examples=["ecg"])
    fs_hz: float = Field(
        description="Sampling rate in hertz, 100 to 2000, as the device states it: 250, or 513.625.",
        examples=[250],
        json_schema_extra={"minimum": MIN_FS_HZ, "maximum": MAX_FS_HZ},
    )
    unit: EcgUnit = Field(description="Unit of the samples.", examples=["mV"])
    lead: AnyLead = Field(Lead.UNKNOWN_LEAD, description="Where the ECG was taken.", examples=["I"])
    signal: OrAbsent[Signal] = Field(
        None,
        description="Samples as numbers, null where one is missing; at most 300 000 in a request; excludes"
        " `signal_b64`.",
        examples=[[0.01, 0.02, 0.05]],
    )
    signal_b64: OrAbsent[Base64] = Field(
        None,
        description="Samples as little-endian bytes in base64, missing ones as NaN of float32; needs"
        " `dtype`, excludes `signal`.",
        examples=[EXAMPLE_RECORDING["signal_b64"]],
    )
    dtype: OrAbsent[SampleType] = Field(
        None, description="How to read the bytes of `signal_b64`; only with it.", examples=["int16"]
    )
    captured_at: OrAbsent[Timestamp] = Field(
        None, description="When the strip was taken.", examples=["2026-11-20T09:30:00Z"]
    )

    @model_validator(mode="after")
    def _check(self) -> EcgRecording:
        _check_rate(self.fs_hz)
        samples = self._only_signal()
        if self.signal is None:
            object.__setattr__(self, "signal", samples)  # Decoded once; the model is frozen to others.
        self._check_length(samples.size)
        return self

    @property
    def samples(self) -> Vector:
        """float32, shape (n_samples,), unit as captured."""
        assert self.signal is not None
        return self.signal

    @property
    def duration_s(self) -> float:
        return self.samples.size / self.fs_hz

    def to_domain(self) -> EcgStrip:
        return EcgStrip(
            self.samples,
            self.fs_hz,
            lead=self.lead.value,
            captured_at=self.captured_at,
            unit=self.unit.value,
        )

    def _check_length(self, n_samples: int) -> None:
        if n_samples > self.max_s * self.fs_hz + 0.5:
            raise PydanticCustomError(
                "signal_too_long",
                "A strip lasts at most {max_s} s; send a longer one in pieces, each a recording of its own.",
                {"max_s": int(self.max_s), "pointer": ("signal" if self.dtype is None else "signal_b64",)},
            )

    def _only_signal(self) -> Vector:
        if (self.signal is None) == (self.signal_b64 is None):
            raise PydanticCustomError("invalid_request", "Expected exactly one of signal and signal_b64.")
        if (self.signal_b64 is None) != (self.dtype is None):
            raise PydanticCustomError("invalid_request", "signal_b64 and dtype belong together.")
        if self.signal is not None:
            return self.signal
        assert self.signal_b64 is not None
        assert self.dtype is not None
        return signal_from_base64(self.signal_b64, self.dtype)


class ActivityRecording(EcgRecording):
    """An ECG strip of one lead, 3 s to an hour: above 120 s only as `signal_b64`."""

    max_s: ClassVar[float] = MAX_ACTIVITY_STRIP_S

    def _check_length(self, n_samples: int) -> None:
        super()._check_length(n_samples)
        if self.dtype is None and n_samples > MAX_STRIP_S * self.fs_hz + 0.5:
            raise PydanticCustomError(
                "signal_too_long",
                "As numbers a strip lasts at most {max_s} s; send a longer one as signal_b64.",
                {"max_s": int(MAX_STRIP_S), "pointer": ("signal",)},
            )


class FaceRecording(RequestSchema):
    """A picture of one face."""

    modality: Literal["face"] = Field(description="Which biometric modality was captured.", examples=["face"])
    image_b64: ImageBytes = Field(
        description="JPEG, PNG or BMP in base64, at most 4 MiB and 25 million pixels, and within the largest"
        " body. It is turned upright by its EXIF orientation.",
        examples=[EXAMPLE_FACE_B64],
    )
    captured_at: OrAbsent[Timestamp] = Field(
        None, description="When the picture was taken.", examples=["2026-11-20T09:30:00Z"]
    )

    duration_s: ClassVar[float] = 0.0

    def to_domain(self) -> FaceImage:
        return FaceImage(self.image_b64, captured_at=self.captured_at)


class FingerprintRecording(RequestSchema):
    """A picture of one fingerprint."""

    modality: Literal["fingerprint"] = Field(
        description="Which biometric modality was captured.", examples=["fingerprint"]
    )
    image_b64: ImageBytes = Field(
        description="PNG, BMP or JPEG in base64, at most 4 MiB and 25 million pixels, and within the largest"
        " body.",
        examples=[EXAMPLE_FINGERPRINT_B64],
    )
    dpi: OrAbsent[Dpi] = Field(
        None,
        description="Resolution in dots per inch. Left out, it is that of the gallery (`fingerprint_dpi`), or"
        " else what the file states; known to neither, the recording is refused with `dpi_required`.",
        examples=[500],
    )
    finger: Finger = Field(Finger.UNKNOWN_FINGER, description="Which finger.", examples=["right_index"])
    captured_at: OrAbsent[Timestamp] = Field(
        None, description="When the picture was taken.", examples=["2026-11-20T09:30:00Z"]
    )

    duration_s: ClassVar[float] = 0.0

    def to_domain(self) -> FingerprintImage:
        return FingerprintImage(
            self.image_b64,
            dpi=self.dpi,
            finger=self.finger.value,
            captured_at=self.captured_at,
        )


AnyRecording = TypeAliasType(
    "AnyRecording",
    Annotated[
        EcgRecording | FaceRecording | FingerprintRecording,
        tagged_union("modality", "One capture of one modality; `modality` tells which.", example="ecg"),
    ],
)


def _check_total(recordings: Sequence[AnyRecording]) -> Sequence[AnyRecording]:
    """Refuse requests whose strips together last longer than the contract allows."""
    if sum(recording.duration_s for recording in recordings) > MAX_TOTAL_S + 1e-6:
        raise PydanticCustomError(
            "signal_too_long",
            "All strips of a request together last at most {max_s} s.",
            {"max_s": int(MAX_TOTAL_S)},
        )
    return recordings


Recordings = Annotated[
    list[AnyRecording],
    Field(min_length=1, max_length=MAX_RECORDINGS, description="Up to 24 recordings, 600 s in all."),
    AfterValidator(_check_total),
]


def to_domain(recordings: Sequence[AnyRecording]) -> tuple[Capture, ...]:
    return tuple(recording.to_domain() for recording in recordings)


def _check_rate(fs_hz: float) -> None:
    if not MIN_FS_HZ <= fs_hz <= MAX_FS_HZ:
        raise PydanticCustomError(
            "sampling_rate_unsupported", "fs_hz must lie within 100 and 2000.", {"pointer": ("fs_hz",)}
        )
