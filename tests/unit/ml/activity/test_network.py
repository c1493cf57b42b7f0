from dataclasses import replace

import numpy as np
import pytest

from ml.activity.head import LinearHead, Standardisation
from ml.activity.network import heads_network
from ml.onnx_network import FREE, OnnxNetwork

RANDOM = np.random.default_rng(0)


def head(n_inputs: int, contamination: float = 0.0) -> LinearHead:
    inputs = RANDOM.normal(3.0, 2.0, (50, n_inputs))
    return LinearHead(
        Standardisation.of(inputs),
        RANDOM.standard_normal((n_inputs, 3)),
        RANDOM.normal(size=3),
        contamination,
    )


class TestHeadsNetwork:
    HEADS = (head(4), head(8, contamination=0.2))

    @pytest.mark.parametrize("number", [0, 1])
    def test_gives_the_logits_of_the_chosen_head(self, number):
        network = OnnxNetwork(
            heads_network(self.HEADS),
            inputs={"inputs": (FREE, 8), "head": (1, 2)},
            output=("logits", (FREE, 3)),
        )
        inputs = RANDOM.normal(3.0, 4.0, (5, 8))
        inputs[0, 2] = np.nan
        chosen = np.eye(2, dtype=np.float32)[[number]]

        found = network.run({"inputs": inputs.astype(np.float32), "head": chosen})

        expected = self.HEADS[number].logits(inputs[:, : 4 * (number + 1)])
        np.testing.assert_allclose(found, expected, atol=1e-4)

    def test_certain_scores_give_numbers(self):
        sure = replace(self.HEADS[0], bias=np.array([500.0, 0.0, -500.0]))
        network = OnnxNetwork(
            heads_network([sure]), inputs={"inputs": (FREE, 4), "head": (1, 1)}, output=("logits", (FREE, 3))
        )

        found = network.run({"inputs": np.zeros((1, 4), np.float32), "head": np.ones((1, 1), np.float32)})

        assert np.isfinite(found).all()
        assert found.argmax() == 0

    def test_the_same_heads_give_the_same_bytes(self):
        assert heads_network(self.HEADS) == heads_network(self.HEADS)
