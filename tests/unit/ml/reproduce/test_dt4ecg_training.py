from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ml.losses.task_balancing.dt4ecg_literal import TaskWeightUnderflowWarning
from ml.models.dual_task.network import DualTaskConfig, DualTaskNetwork
from ml.reproduce.dt4ecg_training import (
    CHECKPOINT_FILE,
    LabelledWindows,
    Trained,
    Training,
    ask,
    train,
)

N_SAMPLES = 32
NETWORK = DualTaskConfig("cnn", "sca", n_people=2, n_activities=2, n_samples=N_SAMPLES)
TRAINING = Training(
    NETWORK, "dt4ecg_stateless", "last_shared", "cross_entropy", "bfloat16", 3, 1, identity="a"
)


def labelled(n: int = 40) -> LabelledWindows:
    """Two people and two activities that one look tells apart."""
    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(0, 2, (n, 2), generator=generator)
    t = torch.arange(N_SAMPLES) / N_SAMPLES
    waves = torch.sin(6.3 * t * (1 + 3 * labels[:, 1:])) + labels[:, :1]
    return LabelledWindows(waves + 0.1 * torch.rand(n, N_SAMPLES, generator=generator), labels)


def trained(training: Training, folder: Path, data: LabelledWindows | None = None) -> Trained:
    found = train(training, data or labelled(), folder, report=lambda _: None, stop=lambda: False)
    assert found is not None
    return found


class TestTrain:
    def test_it_learns_both_tasks(self, tmp_path: Path) -> None:
        data = labelled()

        found = trained(replace(TRAINING, epochs=12), tmp_path, data)

        identity, activity = ask(found.network, data.windows)
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

    @pytest.mark.parametrize("balancing", ["static", "gradnorm", "uncertainty", "dt4ecg_renorm"])
    def test_interrupted_it_ends_where_it_would_have(self, balancing: str, tmp_path: Path) -> None:
        training = replace(TRAINING, balancing=balancing)
        whole = trained(training, tmp_path / "whole")

        stopped = train(training, labelled(), tmp_path / "parts", report=lambda _: None, stop=lambda: True)
        resumed = trained(training, tmp_path / "parts")

        assert stopped is None
        for name, value in whole.network.state_dict().items():
            assert torch.equal(value, resumed.network.state_dict()[name]), name
        assert [e["loss"] for e in whole.epochs] == [e["loss"] for e in resumed.epochs]
        assert whole.first_weights == resumed.first_weights

    def test_a_checkpoint_of_something_else_is_left_alone(self, tmp_path: Path) -> None:
        train(replace(TRAINING, identity="b"), labelled(), tmp_path, report=lambda _: None, stop=lambda: True)
        told: list[int] = []

        train(TRAINING, labelled(), tmp_path, report=told.append, stop=lambda: False)

        assert told == [0, 1, 2, 3]

    def test_seeds_give_other_networks_and_the_same_seed_the_same(self, tmp_path: Path) -> None:
        one, again, other = (
            trained(replace(TRAINING, seed=seed, epochs=1), tmp_path / str(k)).epochs[-1]["loss"]
            for k, seed in enumerate((1, 1, 2))
        )

        assert one == again != other

    def test_a_last_batch_of_one_window_is_left_out(self, tmp_path: Path) -> None:
        found = trained(replace(TRAINING, epochs=1), tmp_path, labelled(33))

        assert len(found.first_weights) == 2

    def test_a_loss_that_is_no_number_ends_it(self, tmp_path: Path) -> None:
        data = labelled()
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


class TestAsk:
    def test_rows_are_log_probabilities_however_many_windows(self) -> None:
        network = DualTaskNetwork(NETWORK).train()
        windows = labelled(300).windows

        identity, activity = ask(network, windows)

        assert identity.shape == activity.shape == (300, 2)
        assert torch.allclose(identity.exp().sum(dim=1), torch.ones(300))
        assert torch.allclose(activity[:7], ask(network, windows[:7])[1], atol=1e-6)
