"""False matches of two men and of two women apart: a shared attribute inflates a false-match rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.protocols.figures import Share, people_of
from ml.evaluation.report import ReportTable, share_text
from ml.evaluation.trials.scoring import Scored
from ml.metrics.error_rates import oracle_threshold
from ml.metrics.intervals import pair_share_bootstrap

RATE: Final = 0.01


@dataclass(frozen=True)
class SameSexFigures:
    """False matches where those of all comparisons together are 1 %.

    Args:
        oracle: By group, at the threshold that gives 1 % of these very comparisons.
        policy: By group, at the policy's threshold with the gallery's own null.
    """

    oracle: Mapping[str, Share]
    policy: Mapping[str, Share]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            name: {group: share.to_dict() for group, share in shares.items()}
            for name, shares in (("at_overall_1_percent", self.oracle), ("at_policy_1_percent", self.policy))
        }

    def table(self, title: str) -> ReportTable:
        """Return the table for people."""
        rows = tuple(
            (group, share_text(self.oracle[group]), share_text(self.policy[group])) for group in self.oracle
        )
        return ReportTable(
            title, ("comparisons", "FMR where it is 1 % overall", "FMR at the policy's 1 %"), rows
        )


def same_sex_figures(scored: Scored, masks: Mapping[str, NDArray[np.bool_]]) -> SameSexFigures:
    """Measure groups of comparisons, and all of them.

    Args:
        scored: With the correction of its own gallery.
        masks: Comparisons by group, of the shape of the scores.
    """
    comparisons = scored.comparisons
    others = comparisons.compared_non_mated
    above = comparisons.llr_db >= oracle_threshold(comparisons.llr_db[others], RATE)
    matches = scored.matches(RATE)
    groups = {"all": others, **{name: others & mask for name, mask in masks.items()}}
    return SameSexFigures(
        {name: _share(scored, above, group) for name, group in groups.items()},
        {name: _share(scored, matches, group) for name, group in groups.items()},
    )


def _share(scored: Scored, hits: NDArray[np.bool_], group: NDArray[np.bool_]) -> Share:
    chosen = hits[group]
    first, second = people_of(scored.comparisons, group)
    return Share(int(chosen.sum()), chosen.size, pair_share_bootstrap(chosen, first, second))
