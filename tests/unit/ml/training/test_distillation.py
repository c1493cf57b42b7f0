import copy

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from ml.losses import make_metric_loss  # noqa: E402
from ml.models.features import WINDOW_SAMPLES  # noqa: E402
from ml.models.networks import make_network  # noqa: E402
from ml.training.checkpoints import Classes, Head, load_network, save_network  # noqa: E402
from ml.training.distillation import taught_by  # noqa: E402
from ml.training.loop import TrainingSet  # noqa: E402
from ml.training.network_recipe import DistillationPlan, NetworkPlan  # noqa: E402
from ml.training.recipe import RecipeError  # noqa: E402
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
    torch.manual_seed(3)
    heads = {"additive_margin": Head(torch.randn(1, PEOPLE, 12), 20.0)}
    save_network(path, TEACHER, network.state_dict(), Classes(people().people_sha256, heads))
    return path


def people(n_people=PEOPLE, prefix="p"):
    """A training set of which nothing is drawn."""
    return TrainingSet(
        torch.arange(n_people), tuple(f"{prefix}{i}" for i in range(n_people)), lambda _: pytest.fail("drawn")
    )


def student(n_people=PEOPLE, loss_name="additive_margin"):
    torch.manual_seed(2)
    loss = make_metric_loss(loss_name, n_classes=n_people, embedding_size=12)
    return make_network("resnet1d", STUDENT), nn.ModuleDict({loss_name: loss})


def taught(path, terms, progress=1.0, data=None, loss_name="additive_margin"):
    data = data or people()
    network, losses = student(data.n_people, loss_name)
    guide = taught_by(path, DistillationPlan("teacher", terms, ramp=0.5), data).guide(network, losses)
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
        guide = taught_by(teacher_file, plan, people()).guide(network, losses)
        windows, labels = torch.randn(6, WINDOW_SAMPLES), torch.tensor([0, 1, 2, 0, 1, 2])

        with NoHomelessTensors():
            guide(network(windows), windows, labels, 1.0)

    def test_making_the_terms_leaves_the_student_as_it_was(self, teacher_file):
        network, losses = student()
        before = copy.deepcopy(network.state_dict())

        plan = DistillationPlan("teacher", {"kd_stage": 1.0})
        taught_by(teacher_file, plan, people()).guide(network, losses)

        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())

    def test_it_is_named_by_its_weights(self, teacher_file):
        plan = DistillationPlan("teacher", {"kd_stage": 1.0})

        one = taught_by(teacher_file, plan, people())
        teacher_file.write_bytes(teacher_file.read_bytes() + b" ")
        other = taught_by(teacher_file, plan, people())

        assert len(one.weights_sha256) == 64
        assert one.weights_sha256 != other.weights_sha256


class TestPeople:
    NAMING = pytest.mark.parametrize("term", ["kd_logit", "kd_token_label"])

    @NAMING
    @pytest.mark.parametrize("data", [people(9), people(prefix="q")])
    def test_a_teacher_of_others_cannot_name_them(self, teacher_file, term, data):
        with pytest.raises(RecipeError, match=f"{term}: teacher.pt was trained on other people"):
            taught(teacher_file, {term: 1.0, "kd_embedding": 1.0}, data=data)

    def test_a_teacher_of_others_can_show_what_it_sees(self, teacher_file):
        _, _, terms = taught(teacher_file, {"kd_embedding": 1.0, "kd_stage": 1.0}, data=people(9, "q"))

        assert set(terms) == {"kd_embedding", "kd_stage"}

    @NAMING
    def test_of_a_former_file_their_number_counts(self, teacher_file, term):
        former(teacher_file)
        plan = DistillationPlan("teacher", {term: 1.0})

        taught_by(teacher_file, plan, people(prefix="q"))
        with pytest.raises(RecipeError, match="than the student's 9"):
            taught_by(teacher_file, plan, people(9))


class TestTeachersHead:
    EMBEDDINGS = torch.randn(5, 12, generator=torch.Generator().manual_seed(4))

    def logits(self, path, loss_name="additive_margin"):
        """The teacher's answers, as the term sees them."""
        _, guide, _ = taught(path, {"kd_logit": 1.0}, loss_name=loss_name)
        return guide.terms.terms["kd_logit"].teacher_logits(self.EMBEDDINGS)

    def expected(self, path, scale):
        centers = load_network(path)[1].heads["additive_margin"].centers[0]
        return scale * nn.functional.cosine_similarity(self.EMBEDDINGS[:, None], centers, dim=2)

    @pytest.mark.parametrize("loss_name", ["additive_margin", "arc_face"])
    def test_counts_with_its_own_scale_whatever_the_students_loss(self, teacher_file, loss_name):
        torch.testing.assert_close(self.logits(teacher_file, loss_name), self.expected(teacher_file, 20.0))

    def test_of_a_former_file_has_the_students_scale(self, teacher_file):
        former(teacher_file)

        torch.testing.assert_close(self.logits(teacher_file), self.expected(teacher_file, 30.0))


def former(path):
    """As files were before they named people and scales."""
    content = torch.load(path, weights_only=True)
    torch.save({k: v for k, v in content.items() if k not in {"people_sha256", "scales"}}, path)
