"""Rules that weigh the losses of several tasks of one network, one per file, by the names in recipes.

DT4ECG calls its rule GradNorm, and both papers have an α of different meaning: here DT4ECG's is a
`step_size`, that of Chen et al. an `asymmetry`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ml.research.dt4ecg.balancing.balancer import TaskBalancer
from ml.research.dt4ecg.balancing.dt4ecg_literal import Dt4ecgLiteral
from ml.research.dt4ecg.balancing.dt4ecg_renorm import Dt4ecgRenorm
from ml.research.dt4ecg.balancing.dt4ecg_stateless import Dt4ecgStateless
from ml.research.dt4ecg.balancing.grad_equalise import GradEqualise
from ml.research.dt4ecg.balancing.gradnorm import GradNorm
from ml.research.dt4ecg.balancing.static import Static
from ml.research.dt4ecg.balancing.uncertainty import Uncertainty

BALANCERS: Mapping[str, type[TaskBalancer]] = {
    "static": Static,
    "uncertainty": Uncertainty,
    "gradnorm": GradNorm,
    "dt4ecg_literal": Dt4ecgLiteral,
    "dt4ecg_stateless": Dt4ecgStateless,
    "dt4ecg_renorm": Dt4ecgRenorm,
    "grad_equalise": GradEqualise,
}


def make_balancer(name: str, n_tasks: int, **options: Any) -> TaskBalancer:
    """Make a rule by its name.

    Args:
        name: One of `BALANCERS`.
        n_tasks: Losses per step.
        options: Further arguments of the class, such as `step_size` and `asymmetry`.

    Raises:
        ValueError: An unknown name or option, the message lists the known ones; a value out of range.
    """
    if name not in BALANCERS:
        raise ValueError(f"task balancing: expected one of {sorted(BALANCERS)}, got {name!r}")
    known = sorted(set(inspect.signature(BALANCERS[name]).parameters) - {"n_tasks"})
    if unknown := sorted(set(options) - set(known)):
        raise ValueError(f"{name}: unknown options {unknown}, known are {known}")
    return BALANCERS[name](n_tasks, **options)
