"""The key of the rows turns with the master key."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.adapters.crypto import EnvelopeVault
from app.adapters.db.binding_key import open_binding, rewrap_binding_key
from app.domain.errors import ConfigurationError
from tests.stored import a_gallery, master_key

OLD, NEW = master_key(1), master_key(2)


class TestRotation:
    def test_the_new_master_key_alone_opens_it_and_rows_stay_bound(self, engine, store):
        store.bind_rows(open_binding(engine, EnvelopeVault([OLD])))
        with store.writing() as uow:
            uow.galleries.add(a_gallery())

        rewrap_binding_key(engine, EnvelopeVault([NEW, OLD]))

        store.bind_rows(open_binding(engine, EnvelopeVault([NEW])))
        with store.reading() as uow:
            assert uow.galleries.by_name("default").intact
        with pytest.raises(ConfigurationError, match="does not open"):
            open_binding(engine, EnvelopeVault([OLD]))

    def test_workers_that_start_together_agree(self, engine):
        with ThreadPoolExecutor(4) as threads:
            bindings = list(threads.map(lambda _: open_binding(engine, EnvelopeVault([OLD])), range(4)))

        assert len({binding.made("subjects", ("x",)) for binding in bindings}) == 1
