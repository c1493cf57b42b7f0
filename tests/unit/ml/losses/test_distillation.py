import pytest

torch = pytest.importorskip("torch")

from ml.losses.additive_margin import AdditiveMargin  # noqa: E402
from ml.losses.distillation import DistillationTerms, WeightedTerm  # noqa: E402
from ml.losses.kd_attention import KdAttention  # noqa: E402
from ml.losses.kd_contrast import KdContrast  # noqa: E402
from ml.losses.kd_embedding import KdEmbedding  # noqa: E402
from ml.losses.kd_logit import KdLogit  # noqa: E402
from ml.losses.kd_relation import KdRelation  # noqa: E402
from ml.losses.kd_stage import KdStage  # noqa: E402
from ml.losses.kd_token import KdTokenEmbedding, KdTokenLabel  # noqa: E402
from ml.models.features import Features  # noqa: E402
from tests.unit.ml.losses.batches import convolutional, leaves, transformer  # noqa: E402

LABELS = torch.tensor([0, 0, 1, 2])
SIZES = (4, 6)  # Of the student's embedding and the teacher's.


def heads():
    return AdditiveMargin(5, SIZES[0]).logits, AdditiveMargin(5, SIZES[1]).logits


TERMS = {
    "logit": lambda: KdLogit(*heads()),
    "token_embedding": lambda: KdTokenEmbedding(*SIZES),
    "token_label": lambda: KdTokenLabel(AdditiveMargin(5, SIZES[0]), heads()[1]),
    "stage": lambda: KdStage([3, 3, 3], [5, 7]),
    "attention": lambda: KdAttention(with_attentions=True),
    "relation": KdRelation,
    "embedding": lambda: KdEmbedding(*SIZES),
    "contrast": lambda: KdContrast(*SIZES),
}


def in_bfloat16(features):
    token = features.distillation
    return Features(
        features.embedding.bfloat16(),
        tuple(stage.bfloat16() for stage in features.stages),
        tuple(attention.bfloat16() for attention in features.attentions),
        None if token is None else token.bfloat16(),
    )


@pytest.mark.parametrize("name", TERMS)
class TestEveryTerm:
    def test_gradient_flows_to_the_student_and_never_to_the_teacher(self, name):
        student, teacher = transformer(4, SIZES[0]), convolutional(4, SIZES[1])

        TERMS[name]()(student, teacher, LABELS).backward()

        assert any(leaf.grad is not None and leaf.grad.abs().sum() > 0.0 for leaf in leaves(student))
        assert all(leaf.grad is None for leaf in leaves(teacher))

    def test_value_is_a_float32_scalar_not_below_0(self, name):
        value = TERMS[name]()(transformer(4, SIZES[0]), convolutional(4, SIZES[1]), LABELS)

        assert value.shape == ()
        assert value.dtype == torch.float32
        assert value.item() >= 0.0

    def test_bfloat16_autocast_changes_nothing(self, name):
        term, batch = TERMS[name](), (transformer(4, SIZES[0]), convolutional(4, SIZES[1]), LABELS)

        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = term(*batch)

        torch.testing.assert_close(found, term(*batch))

    def test_bfloat16_features_give_finite_gradients(self, name):
        student, teacher = transformer(4, SIZES[0]), convolutional(4, SIZES[1])

        TERMS[name]()(in_bfloat16(student), in_bfloat16(teacher), LABELS).backward()

        assert all(torch.isfinite(leaf.grad).all() for leaf in leaves(student) if leaf.grad is not None)


class TestDistillationTerms:
    def test_total_is_the_weighted_sum_and_values_are_unweighted(self):
        embedding, relation = KdEmbedding(*SIZES), KdRelation()
        terms = DistillationTerms(
            {"embedding": WeightedTerm(embedding, 3.0), "relation": WeightedTerm(relation, 0.5)}
        )
        batch = (transformer(4, SIZES[0]), convolutional(4, SIZES[1]), LABELS)

        total, values = terms(*batch, progress=0.0)

        assert list(values) == ["embedding", "relation"]
        torch.testing.assert_close(values["embedding"], embedding(*batch))
        torch.testing.assert_close(values["relation"], relation(*batch))
        torch.testing.assert_close(total, 3.0 * values["embedding"] + 0.5 * values["relation"])

    @pytest.mark.parametrize(("progress", "weight"), [(0.0, 0.0), (0.1, 1.0), (0.2, 2.0), (0.9, 2.0)])
    def test_weight_rises_over_the_ramp(self, progress, weight):
        terms = DistillationTerms({"relation": WeightedTerm(KdRelation(), weight=2.0, ramp=0.2)})

        assert terms.weight("relation", progress) == pytest.approx(weight)

    def test_without_a_ramp_the_weight_is_full_at_once(self):
        terms = DistillationTerms({"relation": WeightedTerm(KdRelation(), weight=2.0)})

        assert terms.weight("relation", 0.0) == 2.0

    def test_values_for_the_log_hold_no_graph(self):
        terms = DistillationTerms({"relation": WeightedTerm(KdRelation())})

        total, values = terms(transformer(4), convolutional(4), LABELS, progress=1.0)

        assert total.requires_grad
        assert not values["relation"].requires_grad

    def test_projectors_are_parameters(self):
        terms = DistillationTerms({"embedding": WeightedTerm(KdEmbedding(*SIZES))})

        assert [name for name, _ in terms.named_parameters()] == ["terms.embedding.project.weight"]

    def test_no_terms_are_refused(self):
        with pytest.raises(ValueError, match="no terms"):
            DistillationTerms({})

    @pytest.mark.parametrize(("weight", "ramp"), [(0.0, 0.0), (-1.0, 0.0), (1.0, 1.1), (1.0, -0.1)])
    def test_a_weight_or_ramp_out_of_range_is_refused_by_name(self, weight, ramp):
        with pytest.raises(ValueError, match="relation: expected"):
            DistillationTerms({"relation": WeightedTerm(KdRelation(), weight, ramp)})
