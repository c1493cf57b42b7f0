import gc

import pytest

from app.loading import loading


class TestLoading:
    @pytest.fixture(autouse=True)
    def _unfrozen_afterwards(self):
        yield
        gc.unfreeze()

    def test_nothing_is_collected_meanwhile(self):
        with loading():
            assert not gc.isenabled()

    def test_the_collector_works_again_afterwards(self):
        with loading():
            pass

        assert gc.isenabled()

    def test_the_collector_works_again_after_a_failure(self):
        with pytest.raises(LookupError), loading():
            raise LookupError

        assert gc.isenabled()

    def test_what_was_loaded_is_never_looked_through_again(self):
        with loading():
            loaded = [[]]

        assert all(loaded is not tracked for tracked in gc.get_objects())
