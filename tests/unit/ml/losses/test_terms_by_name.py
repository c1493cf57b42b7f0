from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from ml.losses.additive_margin import AdditiveMargin  # noqa: E402
from ml.losses.ignored_pairs import IgnoredPairs  # noqa: E402
from ml.losses.terms_by_name import DISTILLATION_TERMS, Apprenticeship, make_distillation_terms  # noqa: E402
from ml.models.deit1d import Deit1d, Deit1dConfig  # noqa: E402
from ml.models.resnet1d import ResNet1d, ResNet1dConfig  # noqa: E402
from tests.unit.ml.losses.batches import random  # noqa: E402

LABELS = torch.tensor([0, 0, 1, 2])
STUDENTS = {
    "transformer": lambda: Deit1d(Deit1dConfig(width=16, blocks=3, heads=2, embedding_size=8)),
    "convolutional": lambda: ResNet1d(
        ResNet1dConfig(widths=(8, 16), blocks=(1, 1), kernels=(3, 3), embedding_size=8)
    ),
}
ONLY_WITH_TOKENS = {"kd_token_embedding", "kd_token_label"}


def teacher_network():
    return ResNet1d(ResNet1dConfig(widths=(8, 8, 16, 16), blocks=(1, 1, 1, 1), embedding_size=12)).eval()


def apprenticeship(student, windows):
    student.with_attentions = True
    return Apprenticeship(
        student(windows),
        teacher_network()(windows),
        AdditiveMargin(5, 8).logits,
        AdditiveMargin(5, 12).logits,
        IgnoredPairs(5, [(0, 1)]),
    )


@pytest.fixture
def windows():
    return random(4, 368)


@pytest.fixture
def pair(windows):
    return apprenticeship(STUDENTS["transformer"](), windows)


class TestMakeDistillationTerms:
    @pytest.mark.parametrize("architecture", STUDENTS)
    def test_all_terms_fit_the_networks_that_are_trained(self, architecture, windows):
        student = STUDENTS[architecture]()
        pair = apprenticeship(student, windows)
        names = set(DISTILLATION_TERMS) - (ONLY_WITH_TOKENS if architecture == "convolutional" else set())
        terms = make_distillation_terms(dict.fromkeys(sorted(names), 1.0), pair, ramp=0.1)

        total, values = terms(student(windows), pair.teacher, LABELS, progress=0.5)
        total.backward()

        assert set(values) == names
        assert torch.isfinite(total)
        assert all(torch.isfinite(p.grad).all() for p in student.parameters() if p.grad is not None)

    def test_weights_and_ramp_reach_the_sum(self, pair):
        terms = make_distillation_terms({"kd_relation": 3.0}, pair, ramp=0.5)

        assert terms.weight("kd_relation", 0.25) == pytest.approx(1.5)

    def test_an_unknown_name_lists_the_known_ones(self, pair):
        with pytest.raises(ValueError, match=r"unknown \['kd_magic'\], known are \['kd_attention', "):
            make_distillation_terms({"kd_magic": 1.0}, pair)

    @pytest.mark.parametrize("whose", ["student", "teacher"])
    def test_logits_that_are_missing_are_named(self, pair, whose):
        with pytest.raises(ValueError, match=f"the {whose} was trained without a class loss"):
            make_distillation_terms({"kd_logit": 1.0}, replace(pair, **{f"{whose}_logits": None}))

    def test_a_transformer_that_hides_its_attentions_is_not_compared_by_energy_instead(self, pair):
        hidden = replace(pair, student=pair.student._replace(attentions=()))
        terms = make_distillation_terms({"kd_attention": 1.0}, hidden)

        with pytest.raises(ValueError, match="gives no attentions"):
            terms(hidden.student, hidden.teacher, LABELS, progress=1.0)
