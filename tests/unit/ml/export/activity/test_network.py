from dataclasses import replace

import numpy as np
import pytest

from ml.export.activity.network import activity_network, heads_network, input_width
from ml.runtime.ecg.activity.head import FusedHead, LinearHead, Standardization, View
from ml.runtime.onnx_network import FIXED, FREE, OnnxNetwork
from tests.moving import TRUNK_SIZE, TRUNK_WINDOWS, trunk_weights

RANDOM = np.random.default_rng(0)


def part(n_inputs: int, contamination: float = 0.0) -> LinearHead:
    inputs = RANDOM.normal(3.0, 2.0, (50, n_inputs))
    return LinearHead(
        Standardization.of(inputs),
        RANDOM.standard_normal((n_inputs, 3)),
        RANDOM.normal(size=3),
        contamination,
    )


def head(n_inputs: int, contamination: float = 0.0) -> FusedHead:
    """Of two views, the second of which reads inputs 1 and 2."""
    others = np.setdiff1d(np.arange(n_inputs), [1, 2])
    views = View(others, 0.7), View(np.array([1, 2]), 0.3)
    return FusedHead((part(others.size, contamination), part(2, 0.05)), views, 0.8, contamination / 2.0)


class TestHeadsNetwork:
    HEADS = (head(4), head(8, contamination=0.2))

    @pytest.mark.parametrize("number", [0, 1])
    def test_gives_the_logits_of_the_chosen_head(self, number):
        network = OnnxNetwork(
            heads_network(self.HEADS),
            inputs={"inputs": (FREE, 8), "head": (1, 2)},
            outputs={"logits": (FREE, 3)},
        )
        inputs = RANDOM.normal(3.0, 4.0, (5, 8))
        inputs[0, 2] = np.nan
        chosen = np.eye(2, dtype=np.float32)[[number]]

        found = network.run({"inputs": inputs.astype(np.float32), "head": chosen})

        expected = self.HEADS[number].logits(inputs[:, : 4 * (number + 1)])
        np.testing.assert_allclose(found, expected, atol=1e-4)

    def test_certain_scores_give_numbers(self):
        sure = replace(part(4), bias=np.array([500.0, 0.0, -500.0]))
        alone = FusedHead((sure,), (View(np.arange(4), 1.0),))
        network = OnnxNetwork(
            heads_network([alone]),
            inputs={"inputs": (FREE, 4), "head": (1, 1)},
            outputs={"logits": (FREE, 3)},
        )

        found = network.run({"inputs": np.zeros((1, 4), np.float32), "head": np.ones((1, 1), np.float32)})

        assert np.isfinite(found).all()
        assert found.argmax() == 0

    def test_the_same_heads_give_the_same_bytes(self):
        assert heads_network(self.HEADS) == heads_network(self.HEADS)


class TestActivityNetwork:
    N_BY_HAND, N_REST = 4, 3
    HEADS = (head(N_BY_HAND + TRUNK_SIZE), head(N_BY_HAND + TRUNK_SIZE + N_REST, contamination=0.1))

    def network(self) -> OnnxNetwork:
        return OnnxNetwork(
            activity_network(trunk_weights(), self.HEADS, self.N_BY_HAND),
            inputs={
                "windows": (FREE, TRUNK_WINDOWS.n_samples),
                "pooling": (FREE, FREE),
                "by_hand": (FREE, self.N_BY_HAND),
                "differences": (FREE, self.N_REST),
                "rest": (1, FIXED),
                "head": (1, 2),
            },
            outputs={"logits": (FREE, 3), "trunk": (FREE, FIXED)},
        )

    @pytest.mark.parametrize("number", [0, 1])
    def test_heads_read_hand_crafted_features_and_those_of_the_trunk(self, number):
        n_windows, n_contexts = 7, 3
        pooling = RANDOM.random((n_contexts, n_windows))
        windows = RANDOM.standard_normal((n_windows, TRUNK_WINDOWS.n_samples)).astype(np.float32)
        rest = RANDOM.standard_normal((1, TRUNK_SIZE)) * number
        by_hand = RANDOM.normal(3.0, 2.0, (n_contexts, self.N_BY_HAND))
        differences = (
            RANDOM.normal(3.0, 2.0, (n_contexts, self.N_REST)) if number else np.full((3, 3), np.nan)
        )
        trunk = OnnxNetwork(
            trunk_weights(),
            inputs={"windows": (FREE, TRUNK_WINDOWS.n_samples)},
            outputs={"stages": (FREE, FIXED)},
        )
        of_trunk = pooling @ trunk.run({"windows": windows})
        given = {
            "windows": windows,
            "pooling": pooling,
            "by_hand": by_hand,
            "differences": differences,
            "rest": rest,
            "head": np.eye(2)[[number]],
        }
        network = self.network()

        logits, found = (
            network.run({name: value.astype(np.float32) for name, value in given.items()}, output)
            for output in ("logits", "trunk")
        )

        inputs = np.hstack([by_hand, of_trunk - rest, differences])
        expected = self.HEADS[number].logits(inputs[:, : input_width([self.HEADS[number]])])
        np.testing.assert_allclose(logits, expected, atol=1e-3)
        np.testing.assert_allclose(found, of_trunk, atol=1e-4)

    def test_the_same_parts_give_the_same_bytes(self):
        twice = [activity_network(trunk_weights(), self.HEADS, self.N_BY_HAND) for _ in range(2)]

        assert twice[0] == twice[1]
