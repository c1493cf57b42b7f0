import math

import pytest

torch = pytest.importorskip("torch")

from pytorch_metric_learning import losses as published  # noqa: E402

from ml.losses.ignored_pairs import IgnoredPairs  # noqa: E402
from ml.losses.proxy_anchor import ProxyAnchor  # noqa: E402
from tests.unit.ml.losses.batches import embeddings  # noqa: E402

LABELS = torch.tensor([0, 1, 1, 4, 3])


def cosine(a, b):
    return (a @ b / (a.norm() * b.norm())).item()


def written_out(vectors, loss, left_out=()):
    labels, scale, margin = LABELS.tolist(), loss.scale, loss.margin
    proxies = loss.proxies.detach()
    pull = push = 0.0
    for c, proxy in enumerate(proxies):
        own = [cosine(v, proxy) for v, label in zip(vectors, labels, strict=True) if label == c]
        others = [
            cosine(v, proxy)
            for v, label in zip(vectors, labels, strict=True)
            if label != c and (label, c) not in left_out and (c, label) not in left_out
        ]
        pull += math.log1p(sum(math.exp(-scale * (s - margin)) for s in own))
        push += math.log1p(sum(math.exp(scale * (s + margin)) for s in others))
    return pull / len(set(labels)) + push / len(proxies)


class TestProxyAnchor:
    def test_equals_the_sum_written_out(self):
        loss = ProxyAnchor(5, 6, scale=8.0, margin=0.1)
        vectors = embeddings(5, 6)

        expected = written_out(vectors.detach(), loss)
        assert loss(vectors, LABELS).item() == pytest.approx(expected, rel=1e-5)

    def test_equals_the_library(self):
        ours = ProxyAnchor(5, 6, scale=32.0, margin=0.1)
        theirs = published.ProxyAnchorLoss(5, 6, margin=0.1, alpha=32.0)
        theirs.proxies.data = ours.proxies.detach()

        torch.testing.assert_close(ours(embeddings(5, 6), LABELS), theirs(embeddings(5, 6), LABELS))

    def test_ignored_classes_are_left_out_of_the_sum(self):
        pairs = {(0, 3), (1, 4), (1, 0)}
        loss = ProxyAnchor(5, 6, scale=8.0, margin=0.1, ignored_pairs=IgnoredPairs(5, pairs))
        vectors = embeddings(5, 6)

        expected = written_out(vectors.detach(), loss, pairs)
        assert loss(vectors, LABELS).item() == pytest.approx(expected, rel=1e-5)

    def test_a_class_that_pushes_nobody_gets_no_gradient_rather_than_an_undefined_one(self):
        loss = ProxyAnchor(5, 6, ignored_pairs=IgnoredPairs(5, [(0, 3)]))

        loss(embeddings(2, 6), torch.tensor([0, 0])).backward()

        moved = loss.proxies.grad.abs().sum(dim=1)
        assert moved[3] == 0.0
        assert (moved[[0, 1, 2, 4]] > 0.0).all()

    def test_gradients_are_those_of_the_values(self):
        loss = ProxyAnchor(5, 6, scale=8.0, ignored_pairs=IgnoredPairs(5, [(0, 3)]))
        vectors = embeddings(5, 6)

        loss(vectors, LABELS).backward()

        step = torch.zeros_like(vectors)
        step[2, 1] = 1e-2
        with torch.no_grad():
            slope = (loss(vectors + step, LABELS) - loss(vectors - step, LABELS)) / 2e-2
        assert vectors.grad[2, 1].item() == pytest.approx(slope.item(), rel=1e-2)

    def test_margin_may_change_between_batches(self):
        loss = ProxyAnchor(5, 6, margin=0.0)
        vectors = embeddings(5, 6)
        without = loss(vectors, LABELS)

        loss.margin = 0.2

        assert loss(vectors, LABELS) > without

    def test_bfloat16_autocast_changes_nothing(self):
        loss = ProxyAnchor(5, 6)
        vectors = embeddings(5, 6)

        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = loss(vectors, LABELS)

        torch.testing.assert_close(found, loss(vectors, LABELS))
