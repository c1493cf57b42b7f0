"""The gallery `default` exists from the start, however many workers start."""

from threading import Thread
from uuid import uuid4

from app.adapters.crypto import EnvelopeVault
from app.adapters.index.exact_index import ExactIndex
from app.matching.follower import GalleryFollower
from app.services.galleries import GalleryService
from tests.fakes import FakeEncoders
from tests.stored import NOW, a_gallery, master_key

BLOCKED_S = 0.2
DONE_S = 20.0


class TestEnsureDefault:
    def service(self, store) -> GalleryService:
        vault, encoders = EnvelopeVault([master_key()]), FakeEncoders()
        return GalleryService(
            store=store,
            vault=vault,
            encoders=encoders,
            follower=GalleryFollower(store, vault, ExactIndex(), encoders),
            clock=lambda: NOW,
            new_id=uuid4,
        )

    def test_it_is_created_once(self, store):
        self.service(store).ensure_default()
        self.service(store).ensure_default()

        with store.reading() as uow:
            assert [gallery.name for gallery in uow.galleries.all()] == ["default"]

    def test_a_worker_that_comes_second_takes_the_other_ones(self, store):
        faults: list[Exception] = []

        def start() -> None:
            try:
                self.service(store).ensure_default()
            except Exception as fault:
                faults.append(fault)

        second = Thread(target=start)
        with store.writing() as uow:
            uow.galleries.add(a_gallery(1))
            second.start()
            second.join(BLOCKED_S)  # By now it has seen that there is none, and waits.
        second.join(DONE_S)

        assert faults == []
        with store.reading() as uow:
            assert uow.galleries.all() == [a_gallery(1)]
