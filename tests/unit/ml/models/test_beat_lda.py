import numpy as np
import pytest

from ml.models.beat_lda import BeatLdaConfig, fit_beat_lda, fit_polarity, turn_upright
from ml.models.beat_views import BeatView, apply_views
from tests.bundles import LDA, VIEWS, beat_shapes, fitted_lda


class TestFitPolarity:
    def test_all_beats_of_a_person_fall_on_one_side(self):
        shapes, people = beat_shapes()

        functional = fit_polarity(shapes, 0.01)

        signs = np.sign(shapes @ functional).reshape(30, 4)
        assert (signs == signs[:, :1]).all()
        assert people.shape == (120,)

    def test_upside_down_people_fall_on_the_other_side(self):
        shapes, people = beat_shapes()

        inverted = shapes @ fit_polarity(shapes, 0.01) < 0

        assert (inverted == inverted[0]).sum() == (people % 3 == 0).sum()

    def test_has_unit_norm(self):
        assert np.linalg.norm(fit_polarity(beat_shapes()[0], 0.01)) == pytest.approx(1.0)

    def test_does_not_depend_on_which_beats_are_inverted(self):
        shapes, _ = beat_shapes()
        flipped = shapes * np.random.default_rng(0).choice([-1.0, 1.0], len(shapes))[:, None]

        np.testing.assert_allclose(fit_polarity(flipped, 0.01), fit_polarity(shapes, 0.01), atol=1e-9)


class TestTurnUpright:
    def test_a_beat_and_its_inverse_become_the_same(self):
        shapes, _ = beat_shapes()
        functional = fit_polarity(shapes, 0.01)

        np.testing.assert_array_equal(turn_upright(-shapes, functional), turn_upright(shapes, functional))


class TestFitBeatLda:
    def test_within_class_scatter_of_the_projection_is_the_identity(self):
        shapes, people = beat_shapes()
        views = (BeatView(0, 10, 50, 1e-12),)  # Fewer features than takes: the scatter has full rank.
        fitted = fit_beat_lda(shapes, people, views, BeatLdaConfig(dimensions=8, shrinkage=1e-6))

        projected = apply_views(turn_upright(shapes, fitted.polarity), views) @ fitted.projection
        residuals = projected - projected.reshape(30, 4, 8).mean(axis=1).repeat(4, axis=0)

        np.testing.assert_allclose(residuals.T @ residuals / (30 * 3), np.eye(8), atol=0.01)

    def test_finds_the_direction_that_separates_two_groups_by_hand(self):
        # Person means differ in the first sample only, takes scatter in the second and third.
        people = np.repeat(np.arange(6), 2)
        shapes = np.zeros((12, 3))
        shapes[:, 0] = 10.0 + people
        shapes[:, 1] = np.tile([1.0, -1.0], 6)
        shapes[:, 2] = np.tile([-1.0, 1.0], 6) * 0.5
        views = (BeatView(0, 0, 3, 1e12),)  # A huge floor makes the view linear.

        fitted = fit_beat_lda(shapes, people, views, BeatLdaConfig(dimensions=1, shrinkage=0.1))

        projected = apply_views(shapes, views) @ fitted.projection[:, 0]
        between = projected.reshape(6, 2).mean(axis=1).std()
        within = (projected.reshape(6, 2) - projected.reshape(6, 2).mean(axis=1, keepdims=True)).std()
        assert between > 5 * within

    def test_takes_of_one_person_are_nearer_than_people(self):
        shapes, people = beat_shapes()
        vectors = fitted_lda().vectors(shapes)

        cosine = vectors @ vectors.T
        same = people[:, None] == people

        assert cosine[same].min() > np.quantile(cosine[~same], 0.99)

    def test_vectors_have_unit_norm(self):
        np.testing.assert_allclose(np.linalg.norm(fitted_lda().vectors(beat_shapes()[0]), axis=1), 1.0)

    def test_same_data_give_the_same_bytes(self):
        first, second = fitted_lda(), fitted_lda()

        assert first.projection.tobytes() == second.projection.tobytes()
        assert first.polarity.tobytes() == second.polarity.tobytes()

    def test_one_beat_per_person_is_refused(self):
        shapes, _ = beat_shapes(n_takes=1)

        with pytest.raises(ValueError, match="two beats"):
            fit_beat_lda(shapes, np.arange(30), VIEWS, LDA)

    def test_more_dimensions_than_people_are_refused(self):
        shapes, people = beat_shapes(n_people=6)

        with pytest.raises(ValueError, match="need more people"):
            fit_beat_lda(shapes, people, VIEWS, LDA)

    def test_reliability_power_shrinks_the_weaker_axes(self):
        shapes, people = beat_shapes()
        plain = fit_beat_lda(shapes, people, VIEWS, BeatLdaConfig(dimensions=8, reliability_power=0.0))
        scaled = fit_beat_lda(shapes, people, VIEWS, BeatLdaConfig(dimensions=8, reliability_power=1.0))

        factor = np.linalg.norm(scaled.projection, axis=0) / np.linalg.norm(plain.projection, axis=0)

        assert (factor < 1.0).all()
        assert (np.diff(factor) <= 1e-12).all()
