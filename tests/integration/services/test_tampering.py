"""Whoever can write SQL and has no master key: what they change is passed over, and nothing else stops."""

import pytest
from sqlalchemy import delete, insert, select, text, update

from app.adapters.db.tables import (
    api_clients,
    biometric_references,
    galleries,
    gallery_transforms,
    row_binding,
    subjects,
)
from app.domain.errors import (
    ConfigurationError,
    InvalidCredentialsError,
    TemplateIntegrityError,
    UnprocessableError,
)
from app.domain.policies import CalibratedPolicy
from app.domain.subjects import Scope
from tests.integration.services.conftest import recording

PEOPLE = 4


@pytest.fixture
def enrolled(replica):
    """Four people in `default`, one more in `other`."""
    process = replica()
    process.services.galleries.create(process.caller, "other", None)
    for person in range(PEOPLE):
        process.enroll(f"p{person}", recording(person))
    process.enroll("q0", recording(5), gallery="other")
    return process


def change(engine, statement):
    """As an attacker does: without a word in the feed. A running process goes on with what it read before."""
    with engine.begin() as connection:
        connection.execute(statement)


def of_subject(name):
    return select(subjects.c.uuid).where(subjects.c.subject_id == name).scalar_subquery()


def reference_of(name):
    return update(biometric_references).where(biometric_references.c.subject_uuid == of_subject(name))


def flipped(engine, column, where):
    """The column's bytes with one bit changed."""
    with engine.begin() as connection:
        found = bytes(connection.execute(select(column).where(where)).scalar())
    return found[:-1] + bytes([found[-1] ^ 1])


def found_people(process):
    return [process.identify(recording(person, 9)).decision.subject_id for person in range(PEOPLE)]


class TestNames:
    def test_swapped_between_subjects_they_name_nobody(self, enrolled, replica, engine):
        for old, new in (("p1", "x"), ("p2", "p1"), ("x", "p2")):
            change(engine, update(subjects).where(subjects.c.subject_id == old).values(subject_id=new))

        for process in (enrolled, replica()):
            assert found_people(process) == ["p0", None, None, "p3"]
            with pytest.raises(TemplateIntegrityError, match="changed outside"):
                process.verify("p1", recording(2, 9))
        assert process.services.health.check().quarantined == 2

    def test_of_a_reference_moved_to_another_subject_nothing_is_found(self, enrolled, replica, engine):
        change(engine, reference_of("p1").values(subject_uuid=of_subject("p2")))

        with pytest.raises(UnprocessableError, match="comparable"):
            enrolled.verify("p1", recording(1, 9))
        assert enrolled.verify("p2", recording(1, 9)).decision == "non_match"
        assert found_people(replica()) == ["p0", None, "p2", "p3"]

    def test_changed_consent_shows_too(self, enrolled, engine):
        change(
            engine, update(subjects).where(subjects.c.subject_id == "p1").values(consent_text_id="everything")
        )

        with pytest.raises(TemplateIntegrityError):
            enrolled.verify("p1", recording(1, 9))

    def test_a_damaged_subject_can_be_erased_and_enrolled_again(self, enrolled, engine):
        change(engine, update(subjects).where(subjects.c.subject_id == "p1").values(subject_id="p9"))

        enrolled.services.erasure.erase_subject(enrolled.caller, "default", "p9")
        enrolled.enroll("p1", recording(1))

        assert found_people(enrolled) == ["p0", "p1", "p2", "p3"]
        assert enrolled.services.health.check().quarantined == 0


class TestQuality:
    @pytest.mark.parametrize(
        "value", [{"quality": 1.0}, {"seconds": 300.0}, {"position": "III"}, {"session": "s"}]
    )
    def test_raised_its_reference_is_passed_over_and_kept(self, enrolled, replica, engine, value):
        change(engine, reference_of("p1").values(**value))

        with pytest.raises(UnprocessableError, match="comparable"):
            enrolled.verify("p1", recording(1, 9))
        started = replica()
        assert found_people(started) == ["p0", None, "p2", "p3"]
        for process in (enrolled, started):
            assert process.services.health.check().quarantined == 1
        with engine.begin() as connection:
            assert len(connection.execute(select(biometric_references)).all()) == PEOPLE + 1

    def test_a_row_of_an_encoder_that_never_was_does_not_stop_the_start(self, enrolled, replica, engine):
        change(engine, reference_of("p1").values(encoder="never@1", modality="gait"))

        assert found_people(replica()) == ["p0", None, "p2", "p3"]


class TestPolicies:
    @pytest.mark.parametrize(
        "loose", [CalibratedPolicy(fmr=0.5, fpir=0.5), None], ids=["loosened", "no policy at all"]
    )
    def test_changed_its_gallery_is_refused_and_others_serve(self, enrolled, replica, engine, loose):
        other = galleries.c.name == "other"
        if loose is None:
            change(engine, text("UPDATE galleries SET policy = '{\"kind\": 7}' WHERE name = 'other'"))
        else:
            change(engine, update(galleries).where(other).values(policy=loose))

        for process in (enrolled, replica()):
            with pytest.raises(TemplateIntegrityError, match="gallery was changed outside"):
                process.verify("q0", recording(5, 9), gallery="other")
            with pytest.raises(TemplateIntegrityError):
                process.enroll("q1", recording(6), gallery="other")
            assert process.services.health.check().ready
            assert found_people(process) == ["p0", "p1", "p2", "p3"]
        enrolled.services.galleries.delete(enrolled.caller, "other")

    def test_what_an_admin_changes_is_bound_anew(self, enrolled, replica):
        strict = CalibratedPolicy(fmr=1e-4)

        enrolled.services.galleries.configure(enrolled.caller, "other", strict, fingerprint_dpi=500)

        assert replica().verify("q0", recording(5, 9), gallery="other").policy == strict


class TestApiKeys:
    def key(self, process):
        client, token = process.services.access.create("door", [Scope.IDENTIFY], ["other"])
        return client, f"Bearer {token}"

    @pytest.mark.parametrize(
        "values",
        [
            {"scopes": ["admin", "identify"]},
            {"galleries": ["*"]},
            {"expires_at": None, "name": "x"},
            {"scopes": 7},
        ],
    )
    def test_changed_a_key_is_refused(self, enrolled, engine, values):
        client, token = self.key(enrolled)
        assert enrolled.services.access.authenticate(token) == client

        change(engine, update(api_clients).where(api_clients.c.id == client.id).values(**values))

        with pytest.raises(InvalidCredentialsError):
            enrolled.services.access.authenticate(token)
        assert [one.intact for one in enrolled.services.access.clients() if one.id == client.id] == [False]

    def test_made_in_sql_a_key_is_refused(self, enrolled, engine):
        client, token = self.key(enrolled)
        with engine.begin() as connection:
            row = connection.execute(select(api_clients).where(api_clients.c.id == client.id)).one()._asdict()
        change(engine, insert(api_clients).values(row | {"id": "0" * 16, "scopes": sorted(Scope)}))

        with pytest.raises(InvalidCredentialsError):
            enrolled.services.access.authenticate(token.replace(client.id, "0" * 16))
        assert enrolled.services.access.authenticate(token).intact

    def test_revoked_a_changed_key_stays_revoked_and_a_sound_one_cannot_come_back(self, enrolled, engine):
        client, token = self.key(enrolled)
        assert enrolled.services.access.revoke(client.id)
        assert all(one.intact for one in enrolled.services.access.clients())

        change(engine, update(api_clients).where(api_clients.c.id == client.id).values(revoked_at=None))

        with pytest.raises(InvalidCredentialsError):
            enrolled.services.access.authenticate(token)


class TestCiphertexts:
    def damaged(self, engine, kind):
        """Damage what is sealed of p1, or of the gallery `other`."""
        references, transforms = biometric_references.c, gallery_transforms.c
        other = select(galleries.c.uuid).where(galleries.c.name == "other").scalar_subquery()
        if kind == "reference":
            where = references.subject_uuid == of_subject("p1")
            value = flipped(engine, references.ciphertext, where)
            change(engine, update(biometric_references).where(where).values(ciphertext=value))
        if kind == "cut short":
            change(engine, reference_of("p1").values(ciphertext=b"x"))
        if kind == "subject's key":
            value = flipped(engine, subjects.c.wrapped_key, subjects.c.subject_id == "p1")
            change(engine, update(subjects).where(subjects.c.subject_id == "p1").values(wrapped_key=value))
        if kind == "gallery's key":
            value = flipped(engine, galleries.c.wrapped_key, galleries.c.name == "other")
            change(engine, update(galleries).where(galleries.c.name == "other").values(wrapped_key=value))
        if kind == "matrix":
            value = flipped(engine, transforms.wrapped_matrix, transforms.gallery_uuid == other)
            value = value[:8] + bytes([value[8] ^ 1]) + value[9:]
            change(
                engine,
                update(gallery_transforms)
                .where(transforms.gallery_uuid == other)
                .values(wrapped_matrix=value),
            )

    @pytest.mark.parametrize("kind", ["reference", "cut short", "subject's key"])
    def test_of_one_subject_the_others_are_found_also_after_a_start(self, enrolled, replica, engine, kind):
        self.damaged(engine, kind)

        started = replica()

        assert found_people(started) == ["p0", None, "p2", "p3"]
        assert started.services.health.check().quarantined == 1
        (damage,) = started.services.health._follower.quarantine.all()
        assert (damage.gallery, damage.subject_id) == ("default", "p1")
        with engine.begin() as connection:
            assert len(connection.execute(select(biometric_references)).all()) == PEOPLE + 1

    @pytest.mark.parametrize("kind", ["gallery's key", "matrix"])
    def test_of_one_gallery_the_others_serve_also_after_a_start(self, enrolled, replica, engine, kind):
        self.damaged(engine, kind)

        started = replica()

        health = started.services.health.check()
        assert (health.ready, health.quarantined) == (True, 1)
        assert found_people(started) == ["p0", "p1", "p2", "p3"]
        with pytest.raises(TemplateIntegrityError):
            started.verify("q0", recording(5, 9), gallery="other")

    def test_a_renewal_refuses_to_leave_damaged_rows_behind(self, enrolled, engine):
        for value in ({"quality": 0.123}, {"ciphertext": b"x"}):
            change(engine, reference_of("p1").values(**value))

            with pytest.raises(TemplateIntegrityError):
                enrolled.services.galleries.renew(enrolled.caller, "default")

        assert enrolled.verify("p2", recording(2, 9)).decision == "match"

    def test_mended_a_reference_is_found_again(self, enrolled, replica, engine):
        with engine.begin() as connection:
            whole = connection.execute(
                select(biometric_references.c.ciphertext).where(
                    biometric_references.c.subject_uuid == of_subject("p1")
                )
            ).scalar()
        self.damaged(engine, "reference")
        started = replica()
        assert started.services.health.check().quarantined == 1

        with engine.begin() as connection:
            connection.execute(reference_of("p1").values(ciphertext=bytes(whole)))
        with started.services.enrollment._store.writing() as uow:
            gallery = uow.galleries.by_name("default")
            uow.changes.record(gallery.uuid, [uow.subjects.by_name(gallery.uuid, "p1").uuid])

        assert found_people(started) == ["p0", "p1", "p2", "p3"]
        assert started.services.health.check().quarantined == 0


class TestBinding:
    def unbind(self, engine, *, all_of_it):
        with engine.begin() as connection:
            connection.execute(delete(row_binding))
            for table in (galleries, api_clients, subjects, biometric_references)[: None if all_of_it else 1]:
                connection.execute(update(table).values(binding=None))

    def test_a_database_of_the_release_before_is_bound_at_the_first_start(self, enrolled, replica, engine):
        self.unbind(engine, all_of_it=True)

        started = replica()

        assert found_people(started) == ["p0", "p1", "p2", "p3"]
        assert started.services.health.check().quarantined == 0
        change(engine, reference_of("p1").values(quality=0.99))
        with pytest.raises(UnprocessableError, match="comparable"):
            started.verify("p1", recording(1, 9))

    def test_bound_rows_without_their_key_stop_the_start_in_one_line(self, enrolled, replica, engine):
        self.unbind(engine, all_of_it=False)

        with pytest.raises(ConfigurationError, match=r"tampered with.*doctor"):
            replica()
