"""Projection from the student's space to the teacher's."""

from __future__ import annotations

from torch import nn


def projector(student_size: int, teacher_size: int) -> nn.Module:
    """Return a linear map over the last axis, or the identity if both sizes agree."""
    return (
        nn.Identity() if student_size == teacher_size else nn.Linear(student_size, teacher_size, bias=False)
    )
