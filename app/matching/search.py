"""A probe against everybody in a gallery, by way of the index.

The index returns, for every table that compares with the probe (position, encoder version, evidence class of
the enrolled side), the templates of the largest cosines. Whoever is in one of these shortlists is compared
again in all modalities, exactly. Whoever is in none has a cosine below the last one of every shortlist, which
bounds score − threshold. While the bound is not below what the answer rests on, longer shortlists are drawn.
With an exact index the answer is therefore that of a scan of everybody, for one modality and for several.

Not so where an encoder compares details: its local vectors draw a shortlist of a fixed number, and no score
of theirs bounds a similarity of details. Whoever is outside of it, and not among the most promising of the
other modalities, brings no evidence of this modality, as if it were missing. Under a distance policy it is
shortlisted by its vectors like others, since these decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

import numpy as np

from app.domain.arrays import IntArray
from app.domain.policies import CalibratedPolicy, DistancePolicy, Policy
from app.domain.ports.encoders import Encoder
from app.domain.references import Modality, Template
from app.matching.comparisons import EncoderComparisons, TemplateTable, first_only
from app.matching.gallery_state import GalleryState, TableKey
from app.matching.policy_board import PASSING_DB, PolicyBoard
from ml.runtime.calibration.nulls import Null, fused
from ml.runtime.evidence import pair
from ml.runtime.matching.llr_bound import highest_llr_db

FIRST_SHORTLIST = 256
"""Templates of a table; with 100 000 people and one modality the first shortlist was enough every time."""
_GROWTH = 4
COMPLETED = 16
"""Of those whom other modalities brought up, so many of the most promising are compared by details too.

A comparison of details takes a third of a millisecond, a thousand times as long as one of vectors. Whoever is
right and outside the details' own shortlist is first or second by the other modalities.
"""
_DETAILS_TAKE = 4
GLANCE = 16
"""Local vectors of a probe with which an enrollment looks around; all 40 would take half an encoding."""
GLANCED_AT = 4
"""Of whom it compares so many by details: mates come first of 5 000 in 97 of 100 searches."""
_NOBODY = np.zeros(0, dtype=np.int64)
_ROUNDING = 1e-5
"""Between a cosine of an index and the same computed again, in float32."""


class Sought(NamedTuple):
    """Probe templates of one encoder version by position, transformed as the gallery's are."""

    encoder: Encoder
    templates: Mapping[str, Template]


@dataclass
class _Lane:
    """One probe template in one table: what the index found, and how alike those may be whom it left out."""

    encoder: Encoder
    probe: Template
    key: TableKey
    table: TemplateTable
    slots: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    reach: float | None = None

    def draw(self, state: GalleryState, k: int) -> None:
        if self.encoder.comparer is not None:  # A distance policy's: whom it draws has details to compare.
            k = max(k // _DETAILS_TAKE, 1)
        self.slots, cosines = state.nearest(self.key, self.probe.vector, k)
        complete = len(self.slots) >= len(self.table.slots)
        self.reach = None if complete or not len(cosines) else float(cosines[-1]) + _ROUNDING


@dataclass
class _LocalLane(_Lane):
    """The local vectors of one probe template in one table: a fixed number is drawn."""

    k: int = 0
    most_vectors: int | None = None

    def draw(self, state: GalleryState, _: int) -> None:
        comparer, parts = self.encoder.comparer, self.probe.parts
        assert comparer is not None
        assert parts is not None
        apart = 1 if self.most_vectors is None else max(1, -(-len(parts.local) // self.most_vectors))
        self.slots = state.nearest_in_parts(self.key, parts.local[::apart], self.k, comparer.best)


class _Beyond(NamedTuple):
    """What somebody outside all shortlists may bring at most in one modality."""

    modality: Modality
    score_db: float
    null: Null
    cosine: float


def search(
    state: GalleryState,
    probes: Sequence[Sought],
    policy: Policy,
    at_least: int,
    first_shortlist: int = FIRST_SHORTLIST,
) -> PolicyBoard:
    """Score those who may matter; the caller holds the state's lock.

    Args:
        state: The gallery.
        probes: The probe under each encoder version, the default first in each modality.
        policy: What is demanded.
        at_least: Candidates that are to be listed.
        first_shortlist: Templates of a table that are drawn at first.

    Returns:
        With an exact index, the decision and the first candidate of a scan of everybody, all who match up to
        `at_least`, and the size of the gallery that was searched.
    """
    lanes = _lanes(state, probes, policy)
    completion = _Completion(state, probes, policy, state.sharing(probes))
    k = max(first_shortlist, at_least)
    while True:
        for lane in lanes:
            if lane.reach is not None or not len(lane.slots):
                lane.draw(state, k)
        board = completion.board(completion.compared(lanes, COMPLETED))
        beyond_db = _best_beyond(state, lanes, policy, board.gallery_size)
        if _is_settled(board, beyond_db, at_least):
            return board
        k *= _GROWTH


def shortlisted(
    state: GalleryState, probes: Sequence[Sought], k: int = FIRST_SHORTLIST
) -> list[EncoderComparisons]:
    """Compare with the k most alike of every table; the caller holds the state's lock.

    Details are compared with the few only whom their own local vectors drew.
    """
    policy = CalibratedPolicy()
    lanes = _lanes(state, probes, policy, glance_k=min(k, GLANCED_AT))
    for lane in lanes:
        lane.draw(state, k)
    return _Completion(state, probes, policy, state.subject_count).compared(lanes, 0)


def _lanes(
    state: GalleryState, probes: Sequence[Sought], policy: Policy, glance_k: int | None = None
) -> list[_Lane]:
    found: list[_Lane] = []
    for encoder, templates in probes:
        comparer = None if isinstance(policy, DistancePolicy) else encoder.comparer
        for position, template in templates.items():
            for key, table in state.comparable_tables(encoder, position):
                if comparer is None:
                    found.append(_Lane(encoder, template, key, table))
                else:
                    size = glance_k or comparer.shortlist_size(len(table.slots))
                    most = GLANCE if glance_k else None
                    found.append(_LocalLane(encoder, template, key, table, k=size, most_vectors=most))
    return found


class _Completion:
    """Compares everybody in any shortlist, in every modality."""

    def __init__(
        self, state: GalleryState, probes: Sequence[Sought], policy: Policy, gallery_size: int
    ) -> None:
        self._state = state
        self._probes = probes
        self._policy = policy
        self._gallery_size = gallery_size
        self._known: dict[str, tuple[IntArray, EncoderComparisons]] = {}

    def compared(self, lanes: Sequence[_Lane], completed: int) -> list[EncoderComparisons]:
        """By vectors everybody, by details those whom they drew and the most promising of the others.

        Args:
            lanes: Drawn.
            completed: How many of the others.
        """
        among = _united([lane.slots for lane in lanes])
        detailed = any(probe.encoder.comparer is not None for probe in self._probes)
        by_vectors = [
            None if encoder.comparer is not None else self._state.compare(encoder, templates, among)
            for encoder, templates in self._probes
        ]
        promising = _NOBODY
        if detailed and completed:
            promising = self._promising([one for one in by_vectors if one is not None], completed)
        return first_only(
            [
                self._by_details(probe, lanes, promising) if compared is None else compared
                for probe, compared in zip(self._probes, by_vectors, strict=True)
            ]
        )

    def board(self, compared: Sequence[EncoderComparisons]) -> PolicyBoard:
        """Scored by the gallery's own correction."""
        scored = [
            (one, self._state.sample(one.modality, one.encoder).fitted())
            for one in compared
            if one.slots.size
        ]
        return PolicyBoard(scored, self._policy, searched=True, gallery_size=self._gallery_size)

    def _promising(self, by_vectors: Sequence[EncoderComparisons], limit: int) -> IntArray:
        board = self.board(first_only(by_vectors))
        rows = sorted(board.order.best(limit).tolist(), key=board.order.key)[:limit]
        return board.slots[rows]

    def _by_details(self, probe: Sought, lanes: Sequence[_Lane], promising: IntArray) -> EncoderComparisons:
        """Longer shortlists of other modalities seldom change whom they bring up."""
        encoder = probe.encoder
        own = [lane.slots for lane in lanes if lane.encoder is encoder]
        among = _united([*own, promising])
        known = self._known.get(encoder.encoder_id)
        if known is None or not np.array_equal(known[0], among):
            known = among, self._state.compare(encoder, probe.templates, among)
            self._known[encoder.encoder_id] = known
        return known[1]


def _united(slots: Sequence[IntArray]) -> IntArray:
    return np.unique(np.concatenate([_NOBODY, *slots]))


def _is_settled(board: PolicyBoard, beyond_db: float, at_least: int) -> bool:
    """Whether nobody beyond the shortlists can be first, match, or get onto a list that is full."""
    if beyond_db == -np.inf:
        return True
    decisive_db = min(board.order.margin_at(1), board.matching_margin_db)
    return beyond_db < decisive_db or beyond_db < board.order.margin_at(at_least)


def _best_beyond(state: GalleryState, lanes: Sequence[_Lane], policy: Policy, gallery_size: int) -> float:
    """The highest score − threshold of anybody outside all shortlists; −inf if nobody is."""
    options: dict[Modality, list[_Beyond | None]] = {}
    for lane in lanes:
        if lane.reach is not None:
            options.setdefault(lane.encoder.modality, [None]).append(_beyond(state, lane, lane.reach))
    margins = [
        _margin_db(policy, used, gallery_size)
        for combination in product(*options.values())
        if (used := [part for part in combination if part is not None])
    ]
    return max(margins, default=-np.inf)


def _beyond(state: GalleryState, lane: _Lane, reach: float) -> _Beyond:
    """The highest score of somebody whose cosine is not above `reach`, whatever the length and quality."""
    if lane.encoder.comparer is not None:  # Under a distance policy, whose order details decide.
        fitted = state.sample(lane.key.template.modality, lane.encoder).fitted()
        return _Beyond(lane.encoder.modality, 0.0, fitted.null(0), reach)
    calibration = lane.encoder.calibration
    extremes = pair(lane.probe.evidence, lane.table.corners)
    highest_db = highest_llr_db(calibration.llr_map, reach, extremes)
    fitted = state.sample(lane.key.template.modality, lane.encoder).fitted()
    score_db = calibration.soften_db(fitted.gallery_null.apply(np.array([highest_db])))
    evidence_class = int(calibration.evidence_classes(extremes).min())
    return _Beyond(lane.encoder.modality, float(score_db[0]), fitted.null(evidence_class), reach)


def _margin_db(policy: Policy, used: Sequence[_Beyond], gallery_size: int) -> float:
    """Score − threshold, as `PolicyBoard` orders candidates; one comparison has the lowest threshold."""
    score_db = sum(part.score_db for part in used)
    if isinstance(policy, DistancePolicy):
        passing = all(policy.rules[part.modality].passes(part.cosine) for part in used)
        return score_db + PASSING_DB * passing
    null = fused([part.null for part in used])
    return score_db - policy.of_search(gallery_size).threshold_db(null)
