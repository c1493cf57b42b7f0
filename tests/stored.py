"""Galleries, subjects and references to start a storage test from. Numbers become ids: 7 → UUID(int=7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from app.adapters.crypto import EnvelopeVault
from app.domain.policies import CalibratedPolicy
from app.domain.references import Modality, Reference, ReferenceIdentity, Vector
from app.domain.subjects import Gallery, GalleryTransform, Subject
from ml.runtime.evidence import SECONDS, Evidence

NOW = datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)
ENCODER = "fake@1"


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def master_key(number: int = 1) -> bytes:
    """A key that is no placeholder, and the same in every run."""
    return np.random.default_rng(number).bytes(32)


def a_gallery(number: int = 1, name: str = "default", **values: Any) -> Gallery:
    return Gallery(
        **{
            "uuid": UUID(int=number),
            "name": name,
            "policy": CalibratedPolicy(),
            "revision": 0,
            "wrapped_key": b"wrapped gallery key",
            "created_at": NOW,
        }
        | values
    )


def a_transform(gallery: Gallery, version: int = 1, **values: Any) -> GalleryTransform:
    return GalleryTransform(
        **{
            "gallery_uuid": gallery.uuid,
            "modality": Modality.ECG,
            "encoder": ENCODER,
            "version": version,
            "wrapped_matrix": b"wrapped matrix",
        }
        | values
    )


def a_subject(gallery: Gallery, number: int = 100, **values: Any) -> Subject:
    return Subject(
        **{
            "uuid": UUID(int=number),
            "gallery_uuid": gallery.uuid,
            "subject_id": f"operator-{number}",
            "wrapped_key": b"wrapped subject key",
            "consent": None,
            "created_at": NOW,
        }
        | values
    )


def a_reference(subject: Subject, number: int = 1000, **values: Any) -> Reference:
    return Reference(
        **{
            "id": UUID(int=number),
            "gallery_uuid": subject.gallery_uuid,
            "subject_uuid": subject.uuid,
            "modality": Modality.ECG,
            "position": "unknown",
            "encoder": ENCODER,
            "transform_version": 1,
            "ciphertext": b"ciphertext",
            "evidence": Evidence(10.5, SECONDS, 0.75),
            "session": "session-1",
            "captured_at": None,
            "created_at": NOW,
        }
        | values
    )


def sealed_gallery(vault: EnvelopeVault, number: int = 1, name: str = "default") -> Gallery:
    return a_gallery(number, name, wrapped_key=vault.new_gallery_key(UUID(int=number)))


def sealed_subject(vault: EnvelopeVault, gallery: Gallery, number: int = 100) -> Subject:
    return a_subject(gallery, number, wrapped_key=vault.new_subject_key(gallery, UUID(int=number)))


def sealed_reference(
    vault: EnvelopeVault, gallery: Gallery, subject: Subject, vector: Vector, number: int = 1000
) -> Reference:
    identity = ReferenceIdentity(gallery.uuid, subject.uuid, UUID(int=number), Modality.ECG, ENCODER, 1)
    return a_reference(subject, number, ciphertext=vault.seal(gallery, subject, identity, vector))
