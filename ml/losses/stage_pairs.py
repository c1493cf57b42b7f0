"""Pairing of a student's stages with its teacher's."""

from __future__ import annotations


def paired_from_the_end(n_student: int, n_teacher: int) -> list[tuple[int, int]]:
    """Pair the stages from the last to the first; early stages of the deeper network stay unpaired.

    The last stages of two architectures are the most alike: the first maps of a convolutional network are
    edges, for which a transformer's stem has no counterpart.

    Returns:
        Indices of student and teacher, in the order of computation.

    Raises:
        ValueError: One of them has no stage.
    """
    n_pairs = min(n_student, n_teacher)
    if n_pairs == 0:
        raise ValueError(
            f"expected stages of both, got {n_student} of the student, {n_teacher} of the teacher"
        )
    return [(n_student - i, n_teacher - i) for i in range(n_pairs, 0, -1)]
