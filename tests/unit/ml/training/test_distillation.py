import copy

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from ml.losses import make_metric_loss  # noqa: E402
from ml.models.features import WINDOW_SAMPLES  # noqa: E402
from ml.models.networks import make_network  # noqa: E402
from ml.training.checkpoints import save_network  # noqa: E402
from ml.training.distillation import taught_by  # noqa: E402
from ml.training.network_recipe import DistillationPlan, NetworkPlan  # noqa: E402
from tests.unit.ml.training.homeless import NoHomelessTensors  # noqa: E402

PEOPLE = 7
TEACHER = NetworkPlan(
    "resnet1d", {"widths": (8, 16), "blocks": (1, 1), "kernels": (3, 3), "embedding_size": 12}
)
STUDENT = {"widths": (4, 8), "blocks": (1, 1), "kernels": (3, 3), "embedding_size": 12}


@pytest.fixture
def teacher_file(tmp_path):
    torch.manual_seed(1)
    network = make_network(TEACHER.name, TEACHER.parameters)
    path = tmp_path / "teacher.pt"
    save_network(path, TEACHER, network.state_dict(), {"additive_margin": torch.randn(1, PEOPLE, 12)})
    return path


def student(n_people=PEOPLE):
    torch.manual_seed(2)
    loss = make_metric_loss("additive_margin", n_classes=n_people, embedding_size=12)
    return make_network("resnet1d", STUDENT), nn.ModuleDict({"additive_margin": loss})


def taught(path, terms, progress=1.0, n_people=PEOPLE):
    network, losses = student(n_people)
    guide = taught_by(path, DistillationPlan("teacher", terms, ramp=0.5), None)(network, losses)
    windows, labels = torch.randn(6, WINDOW_SAMPLES), torch.tensor([0, 1, 2, 0, 1, 2])
    return network, guide, guide(network(windows), windows, labels, progress)


class TestTaughtBy:
    def test_each_term_of_the_plan_is_given_by_its_name(self, teacher_file):
        _, _, terms = taught(teacher_file, {"kd_embedding": 1.0, "kd_logit": 0.5, "kd_relation": 2.0})

        assert sorted(terms) == ["kd_embedding", "kd_logit", "kd_relation"]
        assert all(torch.isfinite(value) for value in terms.values())

    def test_terms_count_in_proportion_to_their_weight_and_the_ramp(self, teacher_file):
        once = taught(teacher_file, {"kd_embedding": 1.0})[2]["kd_embedding"]
        thrice = taught(teacher_file, {"kd_embedding": 3.0})[2]["kd_embedding"]
        early = taught(teacher_file, {"kd_embedding": 1.0}, progress=0.25)[2]["kd_embedding"]

        torch.testing.assert_close(thrice, 3.0 * once)
        torch.testing.assert_close(early, 0.5 * once)

    def test_the_student_learns_and_the_teacher_does_not(self, teacher_file):
        network, guide, terms = taught(teacher_file, {"kd_embedding": 1.0, "kd_stage": 1.0})

        torch.stack(list(terms.values())).sum().backward()

        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
        assert all("teacher" not in name for name, _ in guide.named_parameters())

    def test_no_tensor_is_made_without_a_device(self, teacher_file):
        network, losses = student()
        plan = DistillationPlan(
            "teacher",
            {f"kd_{name}": 1.0 for name in ("logit", "stage", "relation", "embedding", "contrast")},
        )
        guide = taught_by(teacher_file, plan, None)(network, losses)
        windows, labels = torch.randn(6, WINDOW_SAMPLES), torch.tensor([0, 1, 2, 0, 1, 2])

        with NoHomelessTensors():
            guide(network(windows), windows, labels, 1.0)

    def test_making_the_terms_leaves_the_student_as_it_was(self, teacher_file):
        network, losses = student()
        before = copy.deepcopy(network.state_dict())

        taught_by(teacher_file, DistillationPlan("teacher", {"kd_stage": 1.0}), None)(network, losses)

        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())

    def test_a_teacher_of_other_people_is_refused(self, teacher_file):
        with pytest.raises(ValueError, match="the teacher knows 7 people, the student is to learn 9"):
            taught(teacher_file, {"kd_logit": 1.0}, n_people=9)
