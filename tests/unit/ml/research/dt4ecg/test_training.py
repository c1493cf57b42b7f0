from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ml.research.dt4ecg.balancing.dt4ecg_literal import TaskWeightUnderflowWarning
from ml.research.dt4ecg.network.network import DualTaskConfig, DualTaskNetwork
from ml.research.dt4ecg.plan import RECIPES, Recipe
from ml.research.dt4ecg.training import (
    CHECKPOINT_FILE,
    LabeledWindows,
    Trained,
    Training,
    crops,
    learning_rate,
    predict,
    train,
)

N_SAMPLES = 32
NETWORK = DualTaskConfig("cnn", "sca", n_people=2, n_activities=2, n_samples=N_SAMPLES)
TRAINING = Training(
    NETWORK,
    "dt4ecg_stateless",
    "last_shared",
    "cross_entropy",
    "bfloat16",
    RECIPES["paper"],
    epochs=3,
    seed=1,
    identity="a",
)
CROPPED = Recipe(batch_size=16, learning_rate=3e-3, weight_decay=0.01, rise=0.1, crops=True)


def labeled(n: int = 40) -> LabeledWindows:
    """Two people and two activities that one look tells apart."""
    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(0, 2, (n, 2), generator=generator)
    t = torch.arange(N_SAMPLES) / N_SAMPLES
    waves = torch.sin(6.3 * t * (1 + 3 * labels[:, 1:])) + labels[:, :1]
    windows = waves + 0.1 * torch.rand(n, N_SAMPLES, generator=generator)
    following = torch.arange(1, n + 1)
    following[-1] = -1
    return LabeledWindows(windows, labels, following)


def trained(training: Training, folder: Path, data: LabeledWindows | None = None) -> Trained:
    found = train(training, data or labeled(), folder, report=lambda _: None, stop=lambda: False)
    assert found is not None
    return found


class TestTrain:
    def test_it_learns_both_tasks(self, tmp_path: Path) -> None:
        data = labeled()

        found = trained(replace(TRAINING, epochs=12), tmp_path, data)

        identity, activity = predict(found.network, data.windows)
        assert bool((identity.argmax(dim=1) == data.labels[:, 0]).double().mean() > 0.9)
        assert bool((activity.argmax(dim=1) == data.labels[:, 1]).double().mean() > 0.9)

    def test_curves_have_every_epoch_and_task(self, tmp_path: Path) -> None:
        found = trained(TRAINING, tmp_path)

        assert [epoch["epoch"] for epoch in found.epochs] == [1, 2, 3]
        for name in ("loss", "accuracy", "weights", "gradient_norms"):
            assert all(len(epoch[name]) == 2 for epoch in found.epochs)
        assert len(found.first_weights) == 3  # 16 + 16 + 8 windows.

    def test_rules_that_see_no_gradients_log_none(self, tmp_path: Path) -> None:
        found = trained(replace(TRAINING, balancing="static"), tmp_path)

        assert [epoch["gradient_norms"] for epoch in found.epochs] == [None] * 3
        assert found.first_weights == [[1.0, 1.0]] * 3

    @pytest.mark.parametrize(
        "other",
        [
            {"balancing": "static"},
            {"balancing": "gradnorm"},
            {"balancing": "uncertainty"},
            {"balancing": "dt4ecg_renorm"},
            {"recipe": CROPPED},
        ],
    )
    def test_interrupted_it_ends_where_it_would_have(self, other: dict[str, Any], tmp_path: Path) -> None:
        training = replace(TRAINING, **other)
        whole = trained(training, tmp_path / "whole")

        stopped = train(training, labeled(), tmp_path / "parts", report=lambda _: None, stop=lambda: True)
        resumed = trained(training, tmp_path / "parts")

        assert stopped is None
        for name, value in whole.network.state_dict().items():
            assert torch.equal(value, resumed.network.state_dict()[name]), name
        assert [e["loss"] for e in whole.epochs] == [e["loss"] for e in resumed.epochs]
        assert whole.first_weights == resumed.first_weights

    def test_a_checkpoint_of_something_else_is_left_alone(self, tmp_path: Path) -> None:
        train(replace(TRAINING, identity="b"), labeled(), tmp_path, report=lambda _: None, stop=lambda: True)
        reported: list[int] = []

        train(TRAINING, labeled(), tmp_path, report=reported.append, stop=lambda: False)

        assert reported == [0, 1, 2, 3]

    def test_seeds_give_other_networks_and_the_same_seed_the_same(self, tmp_path: Path) -> None:
        one, again, other = (
            trained(replace(TRAINING, seed=seed, epochs=1), tmp_path / str(k)).epochs[-1]["loss"]
            for k, seed in enumerate((1, 1, 2))
        )

        assert one == again != other

    def test_a_last_batch_of_one_window_is_left_out(self, tmp_path: Path) -> None:
        found = trained(replace(TRAINING, epochs=1), tmp_path, labeled(33))

        assert len(found.first_weights) == 2

    def test_a_recipe_says_how_many_windows_a_step_takes(self, tmp_path: Path) -> None:
        recipe = replace(RECIPES["paper"], batch_size=20)

        found = trained(replace(TRAINING, recipe=recipe, epochs=1), tmp_path)

        assert len(found.first_weights) == 2

    def test_weights_that_decay_end_smaller(self, tmp_path: Path) -> None:
        lengths = []
        for decay in (0.0, 30.0):
            recipe = replace(RECIPES["paper"], weight_decay=decay)
            network = trained(replace(TRAINING, recipe=recipe), tmp_path / str(decay)).network
            lengths.append(sum(float(weight.detach().norm()) for weight in network.parameters()))

        assert lengths[1] < 0.9 * lengths[0]

    def test_a_loss_that_is_no_number_ends_it(self, tmp_path: Path) -> None:
        data = labeled()
        data.windows[0, 0] = torch.nan

        with pytest.raises(FloatingPointError):
            trained(TRAINING, tmp_path, data)

    def test_the_printed_rule_loses_its_weights_and_says_so(self, tmp_path: Path) -> None:
        training = replace(TRAINING, balancing="dt4ecg_literal", epochs=40)

        with pytest.warns(TaskWeightUnderflowWarning):
            found = trained(training, tmp_path)

        assert found.epochs[-1]["weights"] == [0.0, 0.0]

    def test_no_half_written_checkpoint_stays(self, tmp_path: Path) -> None:
        trained(TRAINING, tmp_path)

        assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT_FILE]


class TestLearningRate:
    def test_the_papers_is_constant(self) -> None:
        assert {learning_rate(RECIPES["paper"], done) for done in (0.0, 0.05, 0.5, 0.99)} == {1e-3}

    def test_one_cycle_rises_to_the_highest_and_falls_to_nothing(self) -> None:
        rates = [learning_rate(CROPPED, k / 1000) for k in range(1000)]

        top = rates.index(max(rates))
        assert top == 100
        assert max(rates) == CROPPED.learning_rate
        assert rates[: top + 1] == sorted(rates[: top + 1])
        assert rates[top:] == sorted(rates[top:], reverse=True)
        assert 0.0 < rates[-1] < 1e-4 * max(rates)
        assert rates[0] > 0.0


class TestCrops:
    DATA = LabeledWindows(
        torch.arange(12.0).reshape(3, 4), torch.zeros(3, 2, dtype=torch.int64), torch.tensor([1, -1, -1])
    )

    def cut(self, row: int) -> set[tuple[float, ...]]:
        rows = torch.full((200,), row)
        windows = crops(self.DATA, rows, torch.Generator().manual_seed(1))
        return {tuple(window.tolist()) for window in windows}

    def test_they_begin_anywhere_before_the_next_window(self) -> None:
        assert self.cut(0) == {(k, k + 1.0, k + 2.0, k + 3.0) for k in (0.0, 1.0, 2.0, 3.0)}

    @pytest.mark.parametrize("row", [1, 2])
    def test_what_nothing_follows_stays(self, row: int) -> None:
        assert self.cut(row) == {tuple(self.DATA.windows[row].tolist())}


class TestAsk:
    def test_rows_are_log_probabilities_however_many_windows(self) -> None:
        network = DualTaskNetwork(NETWORK).train()
        windows = labeled(300).windows

        identity, activity = predict(network, windows)

        assert identity.shape == activity.shape == (300, 2)
        assert torch.allclose(identity.exp().sum(dim=1), torch.ones(300))
        assert torch.allclose(activity[:7], predict(network, windows[:7])[1], atol=1e-6)
