"""Template protection (DESIGN §7)."""

import base64
import os
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from app.adapters import crypto
from app.adapters.crypto import KEY_ID_BYTES, EnvelopeVault, WrappingKey, parse_master_keys
from app.domain.errors import ConfigurationError, TemplateIntegrityError
from app.domain.ports.references import ReferenceRow
from app.domain.references import Modality, ReferenceIdentity
from tests.stored import ENCODER, a_gallery, master_key, sealed_gallery, sealed_reference, sealed_subject

SIZE = 16


@pytest.fixture
def vault() -> EnvelopeVault:
    return EnvelopeVault([master_key()])


@pytest.fixture
def gallery(vault):
    return sealed_gallery(vault)


@pytest.fixture
def subject(vault, gallery):
    return sealed_subject(vault, gallery)


def a_vector(number: int = 1, size: int = SIZE) -> np.ndarray:
    vector = np.random.default_rng(number).standard_normal(size).astype(np.float32)
    return vector / np.linalg.norm(vector)


def row_of(subject, reference) -> ReferenceRow:
    return ReferenceRow(
        subject_uuid=subject.uuid.bytes,
        subject_id=subject.subject_id,
        wrapped_subject_key=subject.wrapped_key,
        reference_id=reference.id.bytes,
        modality=str(reference.modality),
        position=reference.position,
        encoder=reference.encoder,
        transform_version=reference.transform_version,
        ciphertext=reference.ciphertext,
        quality=reference.evidence.quality,
        amount=reference.evidence.amount,
        session=reference.session,
    )


class TestSealAndOpen:
    def test_a_vector_comes_back_to_the_bit(self, vault, gallery, subject):
        reference = sealed_reference(vault, gallery, subject, a_vector())

        opened = vault.open(gallery, subject, reference.identity, reference.ciphertext)

        np.testing.assert_array_equal(opened, a_vector())
        assert opened.dtype == np.float32

    def test_another_process_with_the_same_master_key_opens_it(self, vault, gallery, subject):
        reference = sealed_reference(vault, gallery, subject, a_vector())

        other = EnvelopeVault([master_key()])

        assert np.array_equal(
            other.open(gallery, subject, reference.identity, reference.ciphertext), a_vector()
        )

    def test_two_seals_of_one_vector_differ(self, vault, gallery, subject):
        first, second = (sealed_reference(vault, gallery, subject, a_vector()) for _ in range(2))

        assert first.ciphertext != second.ciphertext

    def test_the_vector_is_not_in_the_ciphertext(self, vault, gallery, subject):
        reference = sealed_reference(vault, gallery, subject, a_vector())

        assert a_vector().tobytes()[:8] not in reference.ciphertext
        assert len(reference.ciphertext) == 12 + 4 * SIZE + 16

    @pytest.mark.parametrize(
        "change",
        [
            {"reference_id": UUID(int=7)},
            {"subject_uuid": UUID(int=7)},
            {"gallery_uuid": UUID(int=7)},
            {"modality": Modality.FACE},
            {"encoder": "fake@2"},
            {"transform_version": 2},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_a_ciphertext_opens_under_no_other_identity(self, vault, gallery, subject, change):
        reference = sealed_reference(vault, gallery, subject, a_vector())

        with pytest.raises(TemplateIntegrityError):
            vault.open(gallery, subject, replace(reference.identity, **change), reference.ciphertext)

    @pytest.mark.parametrize("byte", [0, 11, 12, 40, -1])
    def test_one_changed_bit_is_detected(self, vault, gallery, subject, byte):
        reference = sealed_reference(vault, gallery, subject, a_vector())
        changed = bytearray(reference.ciphertext)
        changed[byte] ^= 1

        with pytest.raises(TemplateIntegrityError):
            vault.open(gallery, subject, reference.identity, bytes(changed))

    def test_nothing_at_all_is_detected(self, vault, gallery, subject):
        identity = sealed_reference(vault, gallery, subject, a_vector()).identity

        with pytest.raises(TemplateIntegrityError):
            vault.open(gallery, subject, identity, b"")


class TestOpenMany:
    def test_it_opens_what_seal_sealed_subject_by_subject(self, vault, gallery):
        subjects = [sealed_subject(vault, gallery, number) for number in (100, 101)]
        rows = [
            row_of(subject, sealed_reference(vault, gallery, subject, a_vector(number), number))
            for subject in subjects
            for number in (1, 2, 3)
        ]

        opened = vault.open_many(gallery, rows)

        assert opened.dtype == np.float32
        np.testing.assert_array_equal(opened, np.stack([a_vector(n) for n in (1, 2, 3)] * 2))

    def test_nothing_opens_to_nothing(self, vault, gallery):
        assert vault.open_many(gallery, []).shape[0] == 0

    def test_swapping_the_ciphertexts_of_one_subject_is_detected(self, vault, gallery, subject):
        first, second = (sealed_reference(vault, gallery, subject, a_vector(n), n) for n in (1, 2))
        swapped = [
            row_of(subject, replace(first, ciphertext=second.ciphertext)),
            row_of(subject, replace(second, ciphertext=first.ciphertext)),
        ]

        with pytest.raises(TemplateIntegrityError):
            vault.open_many(gallery, swapped)

    def test_swapping_subject_keys_and_ciphertexts_together_is_detected(self, vault, gallery, subject):
        other = sealed_subject(vault, gallery, 101)
        mine = sealed_reference(vault, gallery, subject, a_vector())
        row = row_of(replace(subject, wrapped_key=other.wrapped_key), mine)

        with pytest.raises(TemplateIntegrityError):
            vault.open_many(gallery, [row])

    def test_vectors_of_different_sizes_are_refused(self, vault, gallery, subject):
        rows = [
            row_of(subject, sealed_reference(vault, gallery, subject, a_vector(1, size), size))
            for size in (8, 9)
        ]

        with pytest.raises(TemplateIntegrityError, match="size"):
            vault.open_many(gallery, rows)


class TestDetails:
    CONTENT = b"where the ridges end"

    @pytest.fixture
    def reference(self, vault, gallery, subject):
        plain = sealed_reference(vault, gallery, subject, a_vector())
        sealed = vault.seal_detail(gallery, subject, plain.identity, self.CONTENT)
        return replace(plain, sealed_detail=sealed)

    def test_the_content_comes_back(self, vault, gallery, subject, reference):
        rows = [row_of(subject, reference)]

        assert vault.open_details(gallery, rows, [reference.sealed_detail]) == [self.CONTENT]

    def test_it_cannot_be_read_from_what_is_stored(self, reference):
        assert self.CONTENT not in reference.sealed_detail
        assert repr(reference.sealed_detail) not in repr(reference)

    def test_a_detail_does_not_open_as_a_vector_nor_a_vector_as_a_detail(
        self, vault, gallery, subject, reference
    ):
        swapped = row_of(subject, replace(reference, ciphertext=reference.sealed_detail))

        with pytest.raises(TemplateIntegrityError):
            vault.open_many(gallery, [swapped])
        with pytest.raises(TemplateIntegrityError):
            vault.open_details(gallery, [row_of(subject, reference)], [reference.ciphertext])

    def test_it_belongs_to_one_reference(self, vault, gallery, subject, reference):
        other = row_of(subject, sealed_reference(vault, gallery, subject, a_vector(), 1001))

        with pytest.raises(TemplateIntegrityError):
            vault.open_details(gallery, [other], [reference.sealed_detail])

    def test_it_belongs_to_one_version_of_the_transform(self, vault, gallery, subject, reference):
        renewed = row_of(subject, replace(reference, transform_version=2))

        with pytest.raises(TemplateIntegrityError):
            vault.open_details(gallery, [renewed], [reference.sealed_detail])

    @pytest.mark.parametrize("place", [0, 20, -1])
    def test_a_flipped_bit_is_seen(self, vault, gallery, subject, reference, place):
        changed = bytearray(reference.sealed_detail)
        changed[place] ^= 1

        with pytest.raises(TemplateIntegrityError):
            vault.open_details(gallery, [row_of(subject, reference)], [bytes(changed)])


class TestKeyHierarchy:
    def test_each_wrapped_value_names_its_wrapping_key(self, vault, gallery, subject):
        transform = vault.new_transform(gallery, Modality.ECG, ENCODER, version=1, size=SIZE)
        master = WrappingKey(master_key())

        assert gallery.wrapped_key[:KEY_ID_BYTES] == master.id
        assert subject.wrapped_key[:KEY_ID_BYTES] == transform.wrapped_matrix[:KEY_ID_BYTES]
        assert subject.wrapped_key[:KEY_ID_BYTES] != master.id

    def test_a_subject_key_serves_no_other_subject(self, vault, gallery, subject):
        other = sealed_subject(vault, gallery, 101)
        reference = sealed_reference(vault, gallery, other, a_vector())

        with pytest.raises(TemplateIntegrityError):
            vault.open(
                gallery,
                replace(other, wrapped_key=subject.wrapped_key),
                reference.identity,
                reference.ciphertext,
            )

    def test_a_gallery_key_serves_no_other_gallery(self, vault, gallery):
        thief = a_gallery(2, "thief", wrapped_key=gallery.wrapped_key)

        with pytest.raises(TemplateIntegrityError):
            vault.new_subject_key(thief, UUID(int=1))

    def test_a_value_wrapped_for_one_purpose_opens_for_no_other(self, vault, gallery):
        """A subject's key put where the transform belongs."""
        transform = vault.new_transform(gallery, Modality.ECG, ENCODER, version=1, size=SIZE)
        key = vault.new_subject_key(gallery, UUID(int=1))

        with pytest.raises(TemplateIntegrityError):
            vault.matrix(gallery, replace(transform, wrapped_matrix=key))

    def test_a_foreign_master_key_opens_nothing(self, gallery):
        with pytest.raises(TemplateIntegrityError):
            EnvelopeVault([master_key(2)]).new_subject_key(gallery, UUID(int=1))

    def test_parts_of_associated_data_cannot_be_shifted_into_each_other(self):
        assert crypto._associated("p", b"ab", b"c") != crypto._associated("p", b"a", b"bc")
        assert crypto._associated("p", b"", b"a") != crypto._associated("p", b"a", b"")

    def test_modality_and_encoder_cannot_be_shifted_into_each_other(self):
        one = ReferenceIdentity(UUID(int=1), UUID(int=2), UUID(int=3), "ecg", "x@1", 1)
        two = ReferenceIdentity(UUID(int=1), UUID(int=2), UUID(int=3), "ecgx", "@1", 1)

        assert crypto._of_reference("reference", one) != crypto._of_reference("reference", two)


class TestRewrap:
    def test_a_rotated_gallery_opens_under_the_new_key_alone(self, vault, gallery, subject):
        reference = sealed_reference(vault, gallery, subject, a_vector())
        rotating = EnvelopeVault([master_key(2), master_key(1)])

        rewrapped = rotating.rewrap_gallery_key(gallery)

        rotated = replace(gallery, wrapped_key=rewrapped)
        alone = EnvelopeVault([master_key(2)])
        assert np.array_equal(
            alone.open(rotated, subject, reference.identity, reference.ciphertext), a_vector()
        )
        with pytest.raises(TemplateIntegrityError):
            vault.new_subject_key(rotated, UUID(int=1))

    def test_a_gallery_under_the_first_key_is_left_alone(self, vault, gallery):
        assert vault.rewrap_gallery_key(gallery) is None

    def test_a_second_key_unwraps_before_the_rotation(self, gallery, subject):
        rotating = EnvelopeVault([master_key(2), master_key(1)])

        assert sealed_reference(rotating, gallery, subject, a_vector())


class TestKeyCheck:
    def test_the_value_fits_the_key_that_made_it(self, vault):
        vault.verify_key_check(vault.key_check_value())

    def test_it_fits_during_a_rotation(self, vault):
        EnvelopeVault([master_key(2), master_key(1)]).verify_key_check(vault.key_check_value())

    def test_another_key_is_told_in_one_line(self, vault):
        with pytest.raises(ConfigurationError) as refused:
            EnvelopeVault([master_key(2)]).verify_key_check(vault.key_check_value())

        assert "\n" not in str(refused.value)

    @pytest.mark.parametrize("value", [b"", b"x", bytes(60)])
    def test_nonsense_is_refused(self, vault, value):
        with pytest.raises(ConfigurationError):
            vault.verify_key_check(value)

    def test_there_is_no_vault_without_a_key(self):
        with pytest.raises(ConfigurationError):
            EnvelopeVault([])


class TestTransforms:
    def test_the_matrix_comes_back_as_it_was_stored(self, vault, gallery):
        transform = vault.new_transform(gallery, Modality.ECG, ENCODER, version=1, size=SIZE)

        here, elsewhere = (
            vault.matrix(gallery, transform),
            EnvelopeVault([master_key()]).matrix(gallery, transform),
        )

        assert here.shape == (SIZE, SIZE)
        assert here.dtype == np.float32
        np.testing.assert_array_equal(here, elsewhere)

    @pytest.mark.parametrize(
        "change", [{"version": 2}, {"encoder": "other@1"}, {"modality": Modality.FACE}], ids=str
    )
    def test_it_serves_no_other_version_encoder_or_modality(self, vault, gallery, change):
        transform = vault.new_transform(gallery, Modality.ECG, ENCODER, version=1, size=SIZE)

        with pytest.raises(TemplateIntegrityError):
            vault.matrix(gallery, replace(transform, **change))

    def test_each_draw_differs(self, vault, gallery):
        first, second = (
            vault.new_transform(gallery, Modality.ECG, ENCODER, version=1, size=SIZE) for _ in range(2)
        )

        assert not np.allclose(vault.matrix(gallery, first), vault.matrix(gallery, second))


class TestLocalTransforms:
    @pytest.fixture
    def transform(self, vault, gallery):
        return vault.new_transform(
            gallery, Modality.FINGERPRINT, ENCODER, version=1, size=SIZE, local_size=SIZE
        )

    def test_there_is_a_matrix_of_its_own(self, vault, gallery, transform):
        local = vault.local_matrix(gallery, transform)

        assert local.shape == (SIZE, SIZE)
        np.testing.assert_allclose(local @ local.T, np.eye(SIZE), atol=1e-5)
        assert not np.allclose(local, vault.matrix(gallery, transform))

    def test_one_does_not_serve_as_the_other(self, vault, gallery, transform):
        swapped = replace(transform, wrapped_matrix=transform.wrapped_local_matrix)

        with pytest.raises(TemplateIntegrityError):
            vault.matrix(gallery, swapped)

    def test_without_local_vectors_there_is_none(self, vault, gallery):
        transform = vault.new_transform(gallery, Modality.ECG, ENCODER, version=1, size=SIZE)

        assert transform.wrapped_local_matrix is None
        assert vault.local_matrix(gallery, transform).shape == (0, 0)


class TestParseMasterKeys:
    def encoded(self, number: int) -> str:
        return base64.b64encode(master_key(number)).decode()

    def test_several_keys_keep_their_order(self):
        text = f"{self.encoded(1)}, {self.encoded(2)}\n"

        assert parse_master_keys(text) == [master_key(1), master_key(2)]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " , ",
            "changeme",
            base64.b64encode(bytes(32)).decode(),
            base64.b64encode(b"\xff" * 32).decode(),
            base64.b64encode(b"changeme" * 4).decode(),
            base64.b64encode(b"please-changeme-to-your-own-keys").decode(),
            base64.b64encode(b"0123456789abcdef" * 2)[:-4].decode(),
            base64.b64encode(os.urandom(16)).decode(),
            base64.b64encode(os.urandom(33)).decode(),
            "ключ" * 11,
            "*" * 44,
        ],
    )
    def test_placeholders_and_other_lengths_are_refused(self, text):
        with pytest.raises(ConfigurationError):
            parse_master_keys(text)

    def test_one_key_named_twice_is_refused(self):
        with pytest.raises(ConfigurationError, match="twice"):
            parse_master_keys(f"{self.encoded(1)},{self.encoded(1)}")

    def test_a_refused_key_is_not_repeated(self):
        almost = self.encoded(1)[:-4]

        with pytest.raises(ConfigurationError) as refused:
            parse_master_keys(almost)

        assert almost not in str(refused.value)


class TestRepr:
    def test_no_key_and_no_matrix_is_shown(self, vault, gallery, subject):
        vault.matrix(gallery, vault.new_transform(gallery, Modality.ECG, ENCODER, version=1, size=SIZE))
        shown = " ".join(
            map(repr, (vault, WrappingKey(master_key()), gallery, subject, vars(vault)["_masters"]))
        )

        assert repr(master_key())[2:10] not in shown
        assert master_key().hex() not in shown
        assert base64.b64encode(master_key()).decode() not in shown
        assert repr(gallery.wrapped_key) not in shown
        assert repr(subject.wrapped_key) not in shown
