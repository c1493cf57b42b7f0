import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from ml.models.networks import make_network  # noqa: E402
from ml.training.checkpoints import (  # noqa: E402
    Classes,
    Head,
    TrainingIdentity,
    load_checkpoint,
    load_network,
    save_checkpoint,
    save_figures,
    save_network,
    weights_path,
)
from ml.training.network_recipe import NetworkPlan  # noqa: E402

PLAN = NetworkPlan(
    "resnet1d",
    {"widths": (4, 8), "blocks": (1, 1), "kernels": (3, 3), "attention_size": 4, "embedding_size": 6},
)


IDENTITY = TrainingIdentity("abc", "people", "pairs", "teacher")


class Unwritable(Mapping):
    """A state that fails to be written half-way, as when the disk is full."""

    def __getitem__(self, key):
        raise OSError("no space left")

    def __iter__(self):
        return iter(["network"])

    def __len__(self):
        return 1


class Unpicklable:
    def __reduce__(self):
        raise OSError("no space left")


class TestCheckpoint:
    def test_gives_back_what_was_kept(self, tmp_path):
        state = {"step": 3, "weights": {"w": torch.tensor([1.0, 2.0])}, "epochs": [{"lr": 0.1}]}

        save_checkpoint(tmp_path / "new", IDENTITY, state)

        found = load_checkpoint(tmp_path / "new", IDENTITY)
        assert (found["step"], found["epochs"]) == (3, [{"lr": 0.1}])
        assert found["weights"]["w"].tolist() == [1.0, 2.0]
        assert set(found) == set(state)

    @pytest.mark.parametrize(
        "name", ["recipe_sha256", "people_sha256", "ignored_pairs_sha256", "teacher_sha256"]
    )
    def test_that_of_another_training_is_none_and_the_log_says_why(self, tmp_path, caplog, name):
        save_checkpoint(tmp_path, IDENTITY, {"step": 3})

        assert load_checkpoint(tmp_path, replace(IDENTITY, **{name: "another"})) is None

        assert f"is of another training (other {name}): starting afresh" in caplog.text

    def test_one_that_names_its_recipe_only_is_of_another_training(self, tmp_path, caplog):
        torch.save({"recipe_sha256": "abc", "step": 3}, tmp_path / "checkpoint.pt")

        assert load_checkpoint(tmp_path, IDENTITY) is None

        assert "other people_sha256, ignored_pairs_sha256, teacher_sha256" in caplog.text

    def test_without_one_there_is_none(self, tmp_path):
        assert load_checkpoint(tmp_path / "nowhere", IDENTITY) is None

    @pytest.mark.parametrize("state", [{"step": 4, "bad": Unpicklable()}, Unwritable()])
    def test_an_interrupted_write_leaves_the_former_one(self, tmp_path, state):
        save_checkpoint(tmp_path, IDENTITY, {"step": 3})

        with pytest.raises(OSError, match="no space"):
            save_checkpoint(tmp_path, IDENTITY, state)

        assert load_checkpoint(tmp_path, IDENTITY) == {"step": 3}

    def test_nothing_but_data_is_read(self, tmp_path):
        torch.save({"recipe_sha256": "abc", "step": PLAN}, tmp_path / "checkpoint.pt")

        with pytest.raises(Exception, match=r"[Ww]eights.only"):
            load_checkpoint(tmp_path, IDENTITY)


class TestNetwork:
    @pytest.fixture
    def network(self):
        torch.manual_seed(0)
        network = make_network(PLAN.name, PLAN.parameters)
        for _ in range(3):
            network(torch.randn(8, 368))
        return network.eval()

    def test_comes_back_in_half_precision(self, tmp_path, network):
        save_network(
            tmp_path / "new" / "network.pt",
            PLAN,
            network.state_dict(),
            Classes("of two", {"arc": Head(torch.ones(1, 2, 6), 20.0)}),
        )

        found, classes = load_network(tmp_path / "new" / "network.pt")

        for name, value in found.state_dict().items():
            kept = network.state_dict()[name]
            assert value.dtype == kept.dtype
            expected = kept.half().float() if kept.is_floating_point() else kept
            torch.testing.assert_close(value, expected, rtol=0, atol=0)
        assert classes.people_sha256 == "of two"
        assert classes.heads["arc"].centers.dtype == torch.float32
        assert classes.heads["arc"].centers.shape == (1, 2, 6)
        assert classes.heads["arc"].scale == 20.0

    def test_one_kept_without_people_and_scales_comes_back_too(self, tmp_path, network):
        path = tmp_path / "network.pt"
        save_network(
            path, PLAN, network.state_dict(), Classes("two", {"arc": Head(torch.ones(1, 2, 6), 20.0)})
        )
        content = torch.load(path, weights_only=True)
        torch.save({k: v for k, v in content.items() if k not in {"people_sha256", "scales"}}, path)

        _, classes = load_network(path)

        assert classes.people_sha256 is None
        assert classes.heads["arc"].scale is None
        assert classes.heads["arc"].centers.shape == (1, 2, 6)

    def test_those_in_the_repository_come_back(self):
        network, classes = load_network(weights_path("ecg-beat-net-first", Path("nowhere")))

        assert network.embedding_size > 0
        assert classes.heads

    def test_is_ready_to_embed_about_alike(self, tmp_path, network):
        windows = torch.randn(4, 368, generator=torch.Generator().manual_seed(1))
        save_network(tmp_path / "network.pt", PLAN, network.state_dict(), Classes())

        found, _ = load_network(tmp_path / "network.pt")

        assert not found.training
        torch.testing.assert_close(found(windows).embedding, network(windows).embedding, rtol=0.02, atol=0.02)

    def test_the_weights_on_hand_stay_in_full_precision(self, tmp_path, network):
        save_network(tmp_path / "network.pt", PLAN, network.state_dict(), Classes())

        assert network.head[2].weight.dtype == torch.float32

    def test_what_half_precision_cannot_hold_is_refused(self, tmp_path, network):
        save_network(tmp_path / "network.pt", PLAN, network.state_dict(), Classes())
        state = dict(network.state_dict()) | {"head.0.running_var": torch.full((16,), 1e5)}

        with pytest.raises(ValueError, match=r"head\.0\.running_var"):
            save_network(tmp_path / "network.pt", PLAN, state, Classes())

        load_network(tmp_path / "network.pt")  # The former one is whole.


class TestFigures:
    def test_are_json(self, tmp_path):
        save_figures(tmp_path / "new", {"epochs": [{"lr": 0.1}]})

        assert json.loads((tmp_path / "new" / "training.json").read_text()) == {"epochs": [{"lr": 0.1}]}

    def test_an_interrupted_write_leaves_the_former_ones(self, tmp_path):
        save_figures(tmp_path, {"steps": 1})

        with pytest.raises(TypeError):
            save_figures(tmp_path, {"steps": torch.ones(1)})

        assert json.loads((tmp_path / "training.json").read_text()) == {"steps": 1}
