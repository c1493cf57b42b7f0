"""Pairs of classes that are probably one person, and so must not be pushed apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

import torch
from torch import Tensor, nn


class IgnoredPairs(nn.Module):
    """Other classes to ignore for each class.

    A table of fixed shape rather than a mask of all classes by all classes: most classes have no partner, and
    a look-up costs a hundredth of masking all logits.

    Args:
        n_classes: Labels are 0 … n_classes - 1.
        pairs: Two labels each, in either order. The relation is not transitive: (0, 1) and (1, 2) leave 0 and
            2 apart.

    Raises:
        ValueError: A label out of range, or paired with itself.
    """

    partners: Tensor

    def __init__(self, n_classes: int, pairs: Iterable[tuple[int, int]] = ()) -> None:
        super().__init__()
        of_class: defaultdict[int, set[int]] = defaultdict(set)
        for one, other in pairs:
            if one == other or not 0 <= min(one, other) <= max(one, other) < n_classes:
                raise ValueError(f"expected two different labels below {n_classes}, got {one} and {other}")
            of_class[one].add(other)
            of_class[other].add(one)
        widest = max(map(len, of_class.values()), default=0)
        # A row holds the class itself, its partners, and the class itself again as padding.
        table = torch.arange(n_classes)[:, None].repeat(1, 1 + widest)  # (C, 1 + widest)
        for label, partners in of_class.items():
            table[label, 1 : 1 + len(partners)] = torch.tensor(sorted(partners))
        # Pairs belong to the data: saved weights do not carry them.
        self.register_buffer("partners", table, persistent=False)

    @classmethod
    def within_groups(cls, group_of_label: Sequence[int]) -> IgnoredPairs:
        """Ignore all pairs of one group.

        Args:
            group_of_label: One group per label; a class without partners has a group of its own.
        """
        members: defaultdict[int, list[int]] = defaultdict(list)
        for label, group in enumerate(group_of_label):
            members[group].append(label)
        pairs = [pair for group in members.values() for pair in combinations(group, 2)]
        return cls(len(group_of_label), pairs)

    def of(self, labels: Tensor) -> Tensor:
        """Own class and its partners, padded with the own class: int64, (B,) → (B, 1 + widest)."""
        return self.partners[labels]

    def forward(self, labels: Tensor) -> Tensor:
        """Whether the classes of two samples are an ignored pair; bool, shape (B, B).

        False for two samples of one class.
        """
        listed = self.of(labels)[:, :, None] == labels  # (B, 1 + widest, B)
        return listed.any(dim=1) & (labels[:, None] != labels)
