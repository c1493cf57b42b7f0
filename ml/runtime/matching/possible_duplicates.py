"""Which enrolled names may be one person: names whose references match each other, grouped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_JOINING_SHARE = 0.5
"""A name joins a person if it looks like more than this share of the person's names.

If a single match were enough, one odd template that resembles several people would make them one person. If
all were needed, a person who changed between two sessions would become two.
"""


@dataclass(frozen=True)
class PossibleDuplicates:
    """Names that may be one person, as rows of subjects.

    Attributes:
        people: Two names or more of one person each, the preferred one first. No row is in two.
        other_pairs: Pairs that look alike although their names are not one person's, such as a template that
            resembles several people.
    """

    people: tuple[tuple[int, ...], ...] = ()
    other_pairs: tuple[tuple[int, int], ...] = ()

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """People and other pairs alike, each ascending."""
        return tuple(sorted(tuple(sorted(group)) for group in (*self.people, *self.other_pairs)))


def find_possible_duplicates(
    alike: NDArray[np.bool_], score_db: NDArray[np.float64], preference: NDArray[np.float64]
) -> PossibleDuplicates:
    """Group the names that may be one person; the same for any order of the subjects.

    Args:
        alike: Whether two subjects look like one person, symmetric, shape (n, n); the diagonal is ignored.
        score_db: How much they do, symmetric, shape (n, n); decides the order in which names join.
        preference: Which name of a person stands for it, the largest first; shape (n,). It also decides where
            scores are equal, as they are for the two names of a pair.
    """
    linked = alike & ~np.eye(len(alike), dtype=bool)
    members = np.flatnonzero(linked.any(axis=1))  # Few, as a rule.
    among = np.ix_(members, members)
    weight = np.where(linked[among], score_db[among], 0.0).sum(axis=1)
    people: list[list[int]] = []
    for row in members[np.lexsort((-preference[members], -weight))].tolist():
        shares = [float(linked[row, names].mean()) for names in people]
        best = int(np.argmax(shares)) if shares else -1
        if best >= 0 and shares[best] > _JOINING_SHARE:
            people[best].append(row)
        else:
            people.append([row])
    for names in people:
        linked[np.ix_(names, names)] = False
    rows, columns = np.nonzero(np.triu(linked))
    return PossibleDuplicates(
        people=tuple(
            tuple(sorted(names, key=lambda row: -preference[row])) for names in people if len(names) > 1
        ),
        other_pairs=tuple(zip(rows.tolist(), columns.tolist(), strict=True)),
    )
