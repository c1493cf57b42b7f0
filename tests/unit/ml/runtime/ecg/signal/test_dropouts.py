import numpy as np
import pytest

from ml.runtime.ecg.signal.conditioning import condition
from ml.runtime.ecg.signal.dropouts import dropouts
from ml.runtime.ecg.signal.errors import SignalFlatError
from ml.synthetic.ecg import SyntheticPerson

FS_HZ = 250.0


def counts(person: int, offset: float) -> np.ndarray:
    ecg = SyntheticPerson.draw(person).record(20.0, FS_HZ, session=0, seed=0)
    return np.rint(200.0 * ecg + offset).astype(float)


def filled(
    strip: np.ndarray, value: float, packets: list[int], length: int = 12
) -> tuple[np.ndarray, np.ndarray]:
    lost = np.zeros(strip.size, dtype=bool)
    for packet in packets:
        lost[packet : packet + length] = True
    return np.where(lost, value, strip), lost


@pytest.mark.parametrize("value", [0.0, -32768.0, 32767.0])
def test_packets_filled_with_one_value_are_found(value):
    strip, lost = filled(counts(1, 5000.0), value, [0, 700, 1555, 3100, 4988])

    np.testing.assert_array_equal(dropouts(strip), lost)
    np.testing.assert_array_equal(dropouts(-3.0 * strip + 7.0), lost)


def test_hearts_and_amplifiers_at_their_limit_have_none():
    for person in range(20):
        strip = counts(person, 1000.0)
        assert not dropouts(strip).any()
        assert not dropouts(np.minimum(strip, np.quantile(strip, 0.98))).any()


@pytest.mark.parametrize("offset", [5000.0, 100_000.0])
def test_a_strip_with_lost_packets_is_used_without_them(offset):
    clean = counts(2, offset)
    strip, _ = filled(clean, 0.0, list(range(300, 4900, 460)))

    found, kept = condition(strip, FS_HZ), condition(clean, FS_HZ)

    assert found.quality.accepted_s == kept.quality.accepted_s
    assert np.corrcoef(found.ecg, kept.ecg)[0, 1] > 0.98


def test_a_strip_of_which_too_much_is_lost_is_refused():
    strip, _ = filled(counts(3, 5000.0), 0.0, list(range(50, 4900, 100)), length=50)

    with pytest.raises(SignalFlatError):
        condition(strip, FS_HZ)
