"""API clients in the database."""

from dataclasses import replace

import pytest

from app.domain.subjects import ApiClient, Scope
from tests.stored import NOW, later

CLIENT = ApiClient(
    id="c1",
    name="gate 4",
    secret_sha256=b"\x00\xff" * 16,
    scopes=frozenset({Scope.VERIFY, Scope.READ_SCORES}),
    galleries=frozenset({"default", "staff"}),
    created_at=NOW,
)


class TestClients:
    @pytest.mark.parametrize(
        "client",
        [CLIENT, replace(CLIENT, expires_at=later(60), galleries=frozenset("*"), scopes=frozenset(Scope))],
        ids=["forever", "for a minute"],
    )
    def test_a_client_comes_back(self, store, client):
        with store.writing() as uow:
            uow.clients.add(client)

        with store.reading() as uow:
            assert uow.clients.by_id("c1") == client
            assert uow.clients.by_id("C1") is None

    def test_all_come_in_order_of_time_and_id(self, store):
        clients = [
            replace(CLIENT, id="b"),
            replace(CLIENT, id="c"),
            replace(CLIENT, id="a", created_at=later(1)),
        ]
        with store.writing() as uow:
            for client in reversed(clients):
                uow.clients.add(client)

        with store.reading() as uow:
            assert uow.clients.all() == clients

    def test_revoking_happens_once_and_keeps_its_time(self, store):
        with store.writing() as uow:
            uow.clients.add(CLIENT)

        with store.writing() as uow:
            outcomes = [
                uow.clients.revoke("c1", later(1)),
                uow.clients.revoke("c1", later(2)),
                uow.clients.revoke("nobody", later(1)),
            ]

        with store.reading() as uow:
            assert outcomes == [True, False, False]
            assert uow.clients.by_id("c1") == replace(CLIENT, revoked_at=later(1))
