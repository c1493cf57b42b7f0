"""A probe against everybody in a gallery, by way of the index.

The index returns, for every table that compares with the probe (position, encoder version, evidence class of
the enrolled side), the templates of the largest cosines. Whoever is in one of these shortlists is compared
again in all modalities, exactly. Whoever is in none has a cosine below the last one of every shortlist, which
bounds score − threshold. While the bound is not below what the answer rests on, longer shortlists are drawn.
With an exact index the answer is therefore that of a scan of everybody, for one modality and for several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import product
from typing import NamedTuple

import numpy as np

from app.domain.arrays import IntArray
from app.domain.policies import DistancePolicy, Policy
from app.domain.ports.encoders import Encoder
from app.domain.references import Modality, Template
from app.matching.comparisons import EncoderComparisons, TemplateTable, first_only
from app.matching.gallery_state import GalleryState, TableKey
from app.matching.policy_board import PASSING_DB, PolicyBoard
from ml.runtime.calibration.nulls import Null
from ml.runtime.evidence import pair
from ml.runtime.matching.llr_bound import highest_llr_db

FIRST_SHORTLIST = 256
"""Templates of a table; with 100 000 people and one modality the first shortlist was enough every time."""
_GROWTH = 4
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
        self.slots, cosines = state.nearest(self.key, self.probe.vector, k)
        complete = len(self.slots) >= len(self.table.slots)
        self.reach = None if complete or not len(cosines) else float(cosines[-1]) + _ROUNDING


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
    lanes = _lanes(state, probes)
    gallery_size = state.sharing(probes)
    k = max(first_shortlist, at_least)
    while True:
        for lane in lanes:
            if lane.reach is not None or not len(lane.slots):
                lane.draw(state, k)
        scored = [
            (compared, state.sample(compared.modality, compared.encoder).fitted())
            for compared in _compared(state, probes, lanes)
            if compared.slots.size
        ]
        board = PolicyBoard(scored, policy, searched=True, gallery_size=gallery_size)
        if _is_settled(board, _best_beyond(state, lanes, policy, gallery_size), at_least):
            return board
        k *= _GROWTH


def shortlisted(
    state: GalleryState, probes: Sequence[Sought], k: int = FIRST_SHORTLIST
) -> list[EncoderComparisons]:
    """Compare with the k most alike of every table; the caller holds the state's lock."""
    lanes = _lanes(state, probes)
    for lane in lanes:
        lane.draw(state, k)
    return _compared(state, probes, lanes)


def _lanes(state: GalleryState, probes: Sequence[Sought]) -> list[_Lane]:
    return [
        _Lane(probe.encoder, template, key, table)
        for probe in probes
        for position, template in probe.templates.items()
        for key, table in state.comparable_tables(probe.encoder, position)
    ]


def _compared(
    state: GalleryState, probes: Sequence[Sought], lanes: Sequence[_Lane]
) -> list[EncoderComparisons]:
    """Everybody in any shortlist, in every modality."""
    among = np.unique(np.concatenate([lane.slots for lane in lanes] or [np.zeros(0, dtype=np.int64)]))
    return first_only([state.compare(probe.encoder, probe.templates, among) for probe in probes])


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
    null = reduce(lambda total, one: total.convolve(one), [part.null for part in used])
    return score_db - policy.of_search(gallery_size).threshold_db(null)
