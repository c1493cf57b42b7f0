"""The trainings behind the tables and figures of the DT4ECG paper, the most informative first.

A cell is one training: one network, one protocol and fold, one seed. Cells that several tables show are
trained once. Torch-free, so that plan and page load quickly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

BACKBONES = ("cnn", "efficientnet", "mobilenet", "densenet", "resnet")
"""Those that table III combines with attentions, in the paper's order."""
ATTENTIONS = ("none", "se", "mha", "cbam", "sca")
BALANCINGS = (
    "static",
    "uncertainty",
    "gradnorm",
    "dt4ecg_literal",
    "dt4ecg_stateless",
    "dt4ecg_renorm",
    "grad_equalise",
)
FOLDS: Mapping[str, int] = {"A1": 1, "A2": 1, "A2e": 3, "A3": 10}
"""Number of trainings per protocol."""
LOSSES = ("cross_entropy", "equation_8")
GRADIENTS_OF = ("last_shared", "shared", "all")
PRECISIONS = ("bfloat16", "float32")
MODULES = ("halving", "full_length")


@dataclass(frozen=True)
class Recipe:
    """A training recipe.

    Args:
        batch_size: Windows of a step.
        learning_rate: The highest.
        weight_decay: Decoupled (AdamW); Adam where it is 0.
        rise: Share of the training over which the rate rises, from 1/25 of the highest, to fall to zero
            along a half cosine afterwards; 0 for a constant rate.
        crops: Whether a window of a batch begins anywhere between a training window and the next, if that is
            a training window too, or only where it was cut.
    """

    batch_size: int
    learning_rate: float
    weight_decay: float = 0.0
    rise: float = 0.0
    crops: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; differences from the paper appear only where they exist."""
        usual = {
            "batch_size": self.batch_size,
            "optimiser": "AdamW" if self.weight_decay else "Adam",
            "learning_rate": self.learning_rate,
        }
        further = {name: getattr(self, name) for name in ("weight_decay", "rise", "crops")}
        return usual | {name: value for name, value in further.items() if value}


RECIPES: Mapping[str, Recipe] = {
    "paper": Recipe(batch_size=16, learning_rate=1e-3),
    "ours": Recipe(batch_size=32, learning_rate=3e-3, weight_decay=0.01, rise=0.1, crops=True),
}
"""The paper's, and one chosen on parts of A1's and A2's training windows: `recipe_study`."""
EPOCHS = 50
EARLY_EPOCHS = 20
"""Of table IV and figure 7."""
SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Cell:
    """One training, with defaults for what the paper leaves open; see `ml.research.dt4ecg.page`.

    Args:
        backbone, attention: See `ml.research.dt4ecg.network`.
        protocol: One of `FOLDS`.
        fold: From 0.
        n_activities: 5, or 3: rest, light, vigorous.
        balancing: One of `BALANCINGS`.
        gradient_of: The gradient that the balancing weighs: the trunk's `last_shared` layer (Chen et al.
            2018), all `shared` weights, or `all`, those of the heads too.
        loss: `cross_entropy` over classes, or `equation_8`: as printed, a binary one of each class.
        scaling: Whether a `record` or each `window` is scaled to 0 … 1.
        channel_convolutions: Equation 1's of SCA.
        addition: Whether a residual module adds `before_relu` or `after_relu`.
        modules: Of ResNet: `halving` the time three times while channels double once, or `full_length`: 64
            channels and as many steps as samples throughout.
        precision: `bfloat16` rounds the factors of products in a training step; `float32` does not.
        recipe: One of `RECIPES`.
        epochs: The last one counts.
        seed: Of weights, batches, crops and A1's draw.

    Raises:
        ValueError: An unknown protocol, fold, loss, balancing, gradient, module, precision or recipe; or
            crops of windows that are scaled separately.
    """

    backbone: str = "resnet"
    attention: str = "sca"
    protocol: str = "A1"
    fold: int = 0
    n_activities: int = 5
    balancing: str = "dt4ecg_stateless"
    gradient_of: str = "last_shared"
    loss: str = "cross_entropy"
    scaling: str = "record"
    channel_convolutions: str = "bottleneck"
    addition: str = "before_relu"
    modules: str = "halving"
    precision: str = "bfloat16"
    recipe: str = "paper"
    epochs: int = EPOCHS
    seed: int = SEEDS[0]

    def __post_init__(self) -> None:
        for name, known in (
            ("protocol", tuple(FOLDS)),
            ("balancing", BALANCINGS),
            ("loss", LOSSES),
            ("gradient_of", GRADIENTS_OF),
            ("n_activities", (3, 5)),
            ("modules", MODULES),
            ("precision", PRECISIONS),
            ("recipe", tuple(RECIPES)),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}: expected one of {known}, got {getattr(self, name)!r}")
        if not 0 <= self.fold < FOLDS[self.protocol]:
            raise ValueError(f"fold: {self.protocol} has {FOLDS[self.protocol]}, got {self.fold}")
        if RECIPES[self.recipe].crops and self.scaling != "record":
            raise ValueError(f"recipe: crops of {self.recipe!r} need one scale per record")

    @property
    def id(self) -> str:
        """A name of letters, digits, `-` and `_`: first the fields that always differ, then non-defaults."""
        fold = f"-f{self.fold}" if FOLDS[self.protocol] > 1 else ""
        parts = [f"{self.protocol}{fold}", self.backbone, self.attention, self.balancing]
        parts += [f"{self.n_activities}c", f"{self.epochs}e", f"s{self.seed}"]
        parts += [str(getattr(self, name)) for name in _OPTIONS if getattr(self, name) != _DEFAULTS[name]]
        return "-".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


_DEFAULTS = {field.name: field.default for field in fields(Cell)}
_OPTIONS = (
    "gradient_of",
    "loss",
    "scaling",
    "channel_convolutions",
    "addition",
    "modules",
    "precision",
    "recipe",
)

PROPOSED = Cell()
"""The paper's network: ResNet + SCA."""
PLAIN = replace(PROPOSED, attention="none")
LENGTH_FREE = replace(PROPOSED, attention="sca_length_free")
OURS = replace(PROPOSED, recipe="ours")
"""The same network with our recipe."""
UNSEEN = (PROPOSED, OURS, PLAIN, Cell(backbone="cnn", attention="none"))
"""Compared on another electrode and held-out people: the proposed network by both recipes, two baselines."""
OPTIONS = (
    LENGTH_FREE,
    replace(PROPOSED, scaling="window"),
    replace(PROPOSED, loss="equation_8"),
    replace(PROPOSED, channel_convolutions="single"),
    replace(PROPOSED, channel_convolutions="across_channels"),
    replace(PROPOSED, addition="after_relu"),
    replace(PROPOSED, modules="full_length"),
    replace(PROPOSED, gradient_of="shared"),
    replace(PROPOSED, gradient_of="all"),
    replace(PROPOSED, precision="float32"),
)
"""The proposed network with one choice changed."""


def table_1(protocol: str = "A1") -> tuple[Cell, ...]:
    """Return the networks in the paper's order, the proposed one last."""
    plain = ("lstm", "mlp", "cnn", "mobilenet", "efficientnet", "resnet", "densenet")
    cells = [Cell(backbone=name, attention="none", protocol=protocol) for name in plain]
    return *cells, replace(PROPOSED, protocol=protocol)


def table_3(protocol: str = "A1") -> tuple[Cell, ...]:
    """Return each backbone with each attention, in the paper's order."""
    return tuple(
        Cell(backbone=backbone, attention=attention, protocol=protocol)
        for backbone in BACKBONES
        for attention in ATTENTIONS
    )


def table_4(seed: int = SEEDS[0]) -> tuple[Cell, ...]:
    """Return each balancing after 20 epochs."""
    return tuple(replace(PROPOSED, balancing=b, epochs=EARLY_EPOCHS, seed=seed) for b in BALANCINGS)


def figure_6() -> tuple[Cell, ...]:
    """Return trainings over 50 epochs without balancing, with the paper's rule as we read it, or Chen's."""
    return tuple(replace(PROPOSED, balancing=b) for b in ("static", PROPOSED.balancing, "gradnorm"))


def folds(cell: Cell) -> tuple[Cell, ...]:
    """Return all trainings of a cell's protocol."""
    return tuple(replace(cell, fold=fold) for fold in range(FOLDS[cell.protocol]))


def seeds(cell: Cell) -> tuple[Cell, ...]:
    """Return the same cell with each seed."""
    return tuple(replace(cell, seed=seed) for seed in SEEDS)


def parts() -> dict[str, tuple[Cell, ...]]:
    """Return cells by purpose, as named by `--only`; a cell may have several."""
    others = ("A1", "A2")
    return {
        "table-1": tuple(cell for protocol in others for cell in table_1(protocol)),
        "table-3": tuple(cell for protocol in others for cell in table_3(protocol)),
        "table-4": tuple(cell for seed in SEEDS for cell in table_4(seed)),
        "figure-6": figure_6(),
        "figure-7": table_4(),
        "seeds": tuple(
            again
            for protocol in others
            for cell in (PROPOSED, OURS, PLAIN)
            for again in seeds(replace(cell, protocol=protocol))
        ),
        "three-classes": tuple(replace(PROPOSED, protocol=protocol, n_activities=3) for protocol in others),
        "options": tuple(replace(cell, protocol="A2") for cell in (PROPOSED, *OPTIONS)),
        "A2e": tuple(fold for cell in UNSEEN for fold in folds(replace(cell, protocol="A2e"))),
        "A3": tuple(fold for cell in UNSEEN for fold in folds(replace(cell, protocol="A3"))),
    }


def planned_cells(only: Iterable[str] = ()) -> tuple[Cell, ...]:
    """Return the cells of some parts, or of all, each once, the most informative first.

    Args:
        only: Names of `parts`; empty for all.

    Raises:
        ValueError: An unknown part; the message lists the known ones.
    """
    known = parts()
    names = tuple(only) or tuple(known)
    if unknown := sorted(set(names) - set(known)):
        raise ValueError(f"unknown {unknown}; known are {', '.join(known)}")
    cells = dict.fromkeys(cell for name in names for cell in known[name])
    return tuple(sorted(cells, key=_turn))


def _turn(cell: Cell) -> int:
    """Priority of a cell; cells of equal priority keep the order of their tables."""
    first_seed = cell.seed == SEEDS[0]
    proposed = (cell.backbone, cell.attention) == (PROPOSED.backbone, PROPOSED.attention)
    ours = cell.recipe == OURS.recipe
    of_tables = cell in {*table_1(cell.protocol), *table_3(cell.protocol)}
    turns = (
        of_tables
        and cell.protocol in ("A1", "A2")
        and cell.backbone == "resnet"
        and cell.attention in ("none", "sca"),
        first_seed and cell.protocol in ("A1", "A2") and ours,
        first_seed and cell.protocol == "A1" and proposed,  # Balancing.
        of_tables and cell.protocol == "A1",
        cell.protocol in ("A2e", "A3") and proposed,
        of_tables and cell.protocol == "A2",
        first_seed and cell.protocol == "A2",  # Options.
        not first_seed,
    )
    return next((turn for turn, is_now in enumerate(turns) if is_now), len(turns))
