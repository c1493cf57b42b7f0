import pytest

from ml.runtime.ecg.signal import errors
from ml.runtime.ecg.signal.errors import SignalError

CODES = {
    "signal_not_finite",
    "sampling_rate_unsupported",
    "signal_too_short",
    "signal_flat",
    "signal_saturated",
    "samples_missing",
    "too_many_impulses",
    "no_heartbeat",
    "paced_rhythm",
    "quality_too_low",
}


class TestSignalError:
    def test_each_reason_has_its_own_code_of_the_http_contract(self) -> None:
        codes = [error.code for error in SignalError.__subclasses__()]

        assert sorted(codes) == sorted(CODES)

    @pytest.mark.parametrize("error", SignalError.__subclasses__())
    def test_it_is_a_value_error_with_a_message(self, error: type[SignalError]) -> None:
        assert isinstance(error("why"), ValueError)
        assert str(error("why")) == "why"

    def test_the_module_docstring_draws_every_error(self) -> None:
        assert all(error.__name__ in (errors.__doc__ or "") for error in SignalError.__subclasses__())
