import numpy as np
import pytest

from ml.export.fusion_network import fusion_network
from ml.export.fusion_writer import FusionDescription, Naming, write_fusion_bundle
from ml.runtime.bundle import BundleError, default_bundle
from ml.runtime.encoder import BundledEncoder
from ml.runtime.fusion.fusion_bundle import FusionBundle, combinations_of
from ml.training.fusion.fitting import FusionFit
from ml.training.fusion.making import fit
from ml.training.fusion.people import FusionDataError, split
from tests.unit.ml.training.fusion.computed_vectors import SIZES, computed_people

ENCODERS = {modality: f"{modality}@1" for modality in SIZES}


@pytest.fixture(scope="module")
def made():
    return fit(computed_people(120), SIZES, FusionFit(steps=150))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def bundle(made, models):
    return write_fusion_bundle(
        models,
        FusionDescription(Naming("1", ENCODERS, "ours"), made.fitted, made.calibrated, {"steps": 150}),
        fusion_network(made.network),
        vector_size=150,
        calibrations=made.calibrations,
        figures=made.figures,
    )


class TestSplit:
    def test_nobody_is_on_both_sides_and_everybody_on_one(self):
        people = computed_people(60)

        fitted, calibrated = split(people)

        assert sorted(p.name for p in (*fitted, *calibrated)) == sorted(p.name for p in people)
        assert len({p.name for p in fitted} & {p.name for p in calibrated}) == 0

    def test_newcomers_move_nobody(self):
        before = {person.name for person in split(computed_people(60))[0]}

        after = {person.name for person in split(computed_people(90))[0]}

        assert before <= after

    def test_too_few_people_are_refused_with_their_number(self):
        with pytest.raises(FusionDataError, match="among 10 with two captures"):
            split(computed_people(10))


class TestFit:
    def test_three_modalities_tell_people_apart_better_than_any_two(self, made):
        errors = {figures.modalities: figures.eer for figures in made.figures}

        assert list(errors) == combinations_of(SIZES)
        assert errors[tuple(SIZES)] <= min(error for names, error in errors.items() if len(names) == 2)

    def test_error_rates_are_far_below_chance(self, made):
        assert max(figures.eer for figures in made.figures) < 0.1

    def test_a_second_fit_gives_the_same_weights(self, made):
        again = fit(computed_people(120), SIZES, FusionFit(steps=150))

        assert fusion_network(again.network) == fusion_network(made.network)

    def test_calibration_people_are_not_fitted_to(self, made):
        assert not set(made.fitted) & set(made.calibrated)


class TestFusionBundle:
    def test_fused_vectors_have_unit_norm(self, bundle):
        vectors = {m: computed_people(1)[0].vectors[m].rows for m in SIZES}

        fused = bundle.fuse(vectors)

        assert fused.shape == (3, 150)
        assert np.linalg.norm(fused, axis=1) == pytest.approx(1.0, abs=1e-6)

    def test_a_masked_modality_is_not_read(self, bundle):
        person = computed_people(1)[0]
        two = {m: person.vectors[m].rows for m in ("ecg", "face")}

        fused = bundle.fuse(two)

        assert np.array_equal(fused, bundle.fuse({**two, "voice": two["face"]}))
        assert not np.allclose(fused, bundle.fuse({m: v.rows for m, v in person.vectors.items()}))

    def test_mated_cosines_score_higher_than_non_mated_ones(self, bundle):
        one, other = computed_people(2, seed=99)
        rows = {
            m: np.stack([one.vectors[m].rows[0], one.vectors[m].rows[1], other.vectors[m].rows[0]])
            for m in SIZES
        }
        fused = bundle.fuse(rows)

        llr = bundle.calibration(SIZES).llr_db(fused[0] @ fused[1:].T, 3.0, 0.7)

        assert llr[0] > 0.0 > llr[1]

    def test_one_modality_has_no_calibration(self, bundle):
        with pytest.raises(KeyError):
            bundle.calibration(["ecg"])

    def test_unequal_numbers_of_people_are_refused(self, bundle):
        person = computed_people(1)[0]
        rows = {"ecg": person.vectors["ecg"].rows, "face": person.vectors["face"].rows[:1]}

        with pytest.raises(ValueError, match="equally many people"):
            bundle.fuse(rows)

    def test_it_is_no_encoder_and_never_a_default(self, bundle, models):
        with pytest.raises(BundleError, match="encodes nobody"):
            BundledEncoder(bundle.info, b"")
        with pytest.raises(BundleError, match="no bundle <id>@<version> for fusion"):
            default_bundle(models, "fusion")

    def test_a_missing_calibration_is_refused(self, bundle, made):
        kept = dict(bundle.info.calibration)
        del kept["ecg+face"]
        info = type(bundle.info)(**{**vars(bundle.info), "calibration": kept})

        with pytest.raises(BundleError, match="a calibration for each of ecg"):
            FusionBundle(info, fusion_network(made.network))

    def test_the_card_names_encoders_and_numbers_but_no_people(self, bundle):
        assert all(encoder in bundle.info.card for encoder in ENCODERS.values())
        assert "person-" not in bundle.info.card


class TestOnnx:
    def test_the_network_in_the_bundle_equals_the_fitted_one(self, bundle, made):
        import torch

        person = computed_people(1, seed=3)[0]
        rows = [torch.from_numpy(person.vectors[m].rows) for m in SIZES]
        with torch.inference_mode():
            raw = made.network(rows, torch.ones(3, 3)).numpy()

        fused = bundle.fuse({m: person.vectors[m].rows for m in SIZES})

        assert fused == pytest.approx(raw / np.linalg.norm(raw, axis=1, keepdims=True), abs=1e-5)
