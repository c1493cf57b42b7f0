from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.runtime.ecg.signal.constants import WORKING_FS_HZ  # noqa: E402
from ml.training.crops import beat_phases, beats_removed, crop_bank  # noqa: E402
from tests.heartbeats import NORMAL_BEAT, beat  # noqa: E402
from tests.unit.ml.training.banks import beating, steady_strip  # noqa: E402

REGULAR = np.arange(150, 2900, 200)


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


class TestBeatsRemoved:
    def test_equal_beats_leave_hardly_anything(self):
        ecg = beating(REGULAR, 3000)

        rest, _ = beats_removed(ecg, REGULAR)

        assert rms(rest) < 0.01 * rms(ecg)

    def test_what_does_not_follow_the_beats_stays(self):
        wander = 0.2 * np.sin(2 * np.pi * 0.31 * np.arange(3000) / WORKING_FS_HZ)
        ecg = (beating(REGULAR, 3000) + wander).astype(np.float32)

        rest, _ = beats_removed(ecg, REGULAR)

        assert np.corrcoef(rest, wander)[0, 1] > 0.75
        assert rms(rest) == pytest.approx(rms(wander), rel=0.2)

    @pytest.mark.parametrize(("size", "left"), [(1.0, 0.0), (1.4, 0.0), (3.0, 1.5), (-1.0, -1.5)])
    def test_a_beat_of_another_size_is_fitted_within_half_and_one_and_a_half(self, size, left):
        at = REGULAR[7]
        odd = beating(np.delete(REGULAR, 7), 3000) + size * beating(np.array([at]), 3000)

        rest, _ = beats_removed(odd.astype(np.float32), REGULAR)

        assert rest[at] == pytest.approx(left, abs=0.02)

    def test_residue_and_placed_template_make_up_the_strip(self):
        rng = np.random.default_rng(3)
        r_peaks = np.cumsum(rng.integers(90, 320, 14)) - 40  # Down to 0.36 s: neighbors overlap.
        ecg = (beating(r_peaks, r_peaks[-1] + 60) + 0.1 * rng.standard_normal(r_peaks[-1] + 60)).astype(
            np.float32
        )

        rest, size = beats_removed(ecg, r_peaks)

        template = {
            offset: np.median([ecg[r + offset] if 0 <= r + offset < ecg.size else 0.0 for r in r_peaks])
            for offset in range(-70, 112)
        }
        usual = np.median(np.diff(r_peaks))
        placed = np.zeros(ecg.size)
        for i, r in enumerate(r_peaks):
            last = 0.4 * (r - r_peaks[i - 1] if i else usual)
            following = 0.6 * (r_peaks[i + 1] - r if i + 1 < len(r_peaks) else usual)
            faded = {
                k: v * min(max((last + k) / 10, 0), 1) * min(max((following - k) / 10, 0), 1)
                for k, v in template.items()
            }
            inside = {k: v for k, v in faded.items() if 0 <= r + k < ecg.size}
            energy = sum(v * v for v in faded.values())
            gain = min(max(sum(v * ecg[r + k] for k, v in inside.items()) / energy, 0.5), 1.5)
            for k, v in inside.items():
                placed[r + k] += gain * v
        np.testing.assert_allclose(rest + placed, ecg, atol=1e-6)
        assert size == pytest.approx(rms([template[k] for k in range(-18, 18)]))

    def test_the_size_is_that_of_the_typical_qrs(self):
        _, size = beats_removed(2.0 * beating(REGULAR, 3000), REGULAR)

        times_s = np.arange(-18, 18) / WORKING_FS_HZ
        assert size == pytest.approx(2.0 * rms(beat(times_s, NORMAL_BEAT)), rel=1e-4)

    def test_turning_the_strip_turns_the_rest(self):
        ecg = steady_strip(noise_mv=0.1).ecg[:3000]

        rest, size = beats_removed(ecg, REGULAR)
        turned, turned_size = beats_removed(-ecg, REGULAR)

        np.testing.assert_array_equal(turned, -rest)
        assert turned_size == size


class TestBeatPhases:
    R_PEAKS = np.array([500, 750, 838])  # At 2.0, 3.0 and 3.352 s.

    @pytest.mark.parametrize(
        ("at_s", "stretch", "repolarization"),
        [
            (1.0, 1.7, 0.0),  # Before the first beat.
            (1.85, 0.3, 0.0),  # PR.
            (1.94, 0.0, 0.0),  # QRS.
            (2.0, 0.0, 0.0),
            (2.06, 0.0, 0.0),
            (2.1, 0.5, 0.5),  # The ST segment fades in.
            (2.3, 0.5, 1.0),  # T.
            (2.46, 1.7, 0.5),  # The T wave fades out.
            (2.6, 1.7, 0.0),  # Rest.
            (2.8, 0.3, 0.0),  # PR of the next one.
            (3.1, 0.5, 0.2),  # ST of a short period, near the next PR.
            (3.2, 0.3, 0.0),  # The PR goes before the T of a short period.
            (3.3, 0.0, 0.0),
            (3.6, 0.5, 1.0),
            (4.4, 1.7, 0.0),  # Behind the last beat.
        ],
    )
    def test_each_part_of_a_beat(self, at_s, stretch, repolarization):
        stretches, repolarizations = beat_phases(1250, self.R_PEAKS)

        at = round(at_s * WORKING_FS_HZ)
        assert stretches[at] == stretch
        assert repolarizations[at] == pytest.approx(repolarization, abs=1e-6)

    def test_without_beats_all_is_rest(self):
        stretches, repolarizations = beat_phases(10, np.empty(0, dtype=np.int64))

        assert set(stretches) == {1.7}
        assert not repolarizations.any()


class TestCropBank:
    def test_strips_lie_one_after_the_other_at_half_the_rate(self):
        first, second = steady_strip("b"), steady_strip("a", seconds=10.0)

        bank = crop_bank([first, second], 720, np.ones(2))

        _, size = beats_removed(first.ecg, first.r_peaks)
        assert bank.starts.tolist() == [0, 1500]
        assert bank.lengths.tolist() == [1500, 1250]
        assert len(bank.ecg) == len(bank.residue) == len(bank.stretch) == len(bank.repolarization) == 2750
        np.testing.assert_allclose(bank.ecg[:1500], first.ecg[::2] / size, rtol=1e-6)

    def test_phases_belong_to_the_samples(self):
        strip = steady_strip("b")

        bank = crop_bank([steady_strip("a", seconds=8.0), strip], 720, np.ones(2))

        stretch, repolarization = beat_phases(strip.ecg.size, strip.r_peaks)
        np.testing.assert_array_equal(bank.stretch[1000:], stretch[::2].astype(np.float32))
        np.testing.assert_array_equal(bank.repolarization[1000:], repolarization[::2].astype(np.float32))

    def test_people_are_numbered_by_name(self):
        strips = [steady_strip(name) for name in ("b", "a", "b", "c")]

        bank = crop_bank(strips, 720, np.ones(4))

        assert bank.names == ("a", "b", "c")
        assert bank.people.tolist() == [1, 0, 1, 2]

    def test_the_sign_turns_strip_and_residue(self):
        strip = steady_strip(noise_mv=0.05)

        bank = crop_bank([strip, strip], 720, np.array([1.0, -1.0]))

        torch.testing.assert_close(bank.ecg[1500:], -bank.ecg[:1500], rtol=0, atol=0)
        torch.testing.assert_close(bank.residue[1500:], -bank.residue[:1500], rtol=0, atol=0)
        torch.testing.assert_close(bank.stretch[1500:], bank.stretch[:1500], rtol=0, atol=0)

    def test_short_strips_and_those_with_few_beats_are_left_out(self):
        long, short = steady_strip("a"), steady_strip("b", seconds=5.0)
        lame = replace(steady_strip("c"), r_peaks=np.array([300, 500, 700]))

        bank = crop_bank([lame, short, long], 720, np.array([1.0, 1.0, -1.0]))

        assert bank.names == ("a",)
        assert bank.ecg[50] < 0.0  # Its own sign came with it.

    def test_without_any_strip_it_says_so(self):
        with pytest.raises(ValueError, match="long enough"):
            crop_bank([steady_strip(seconds=5.0)], 720, np.ones(1))

    @pytest.mark.parametrize("loud_from", [3000, 2600])
    def test_marks_that_hit_nothing_give_no_huge_samples(self, loud_from):
        silent = replace(steady_strip(), ecg=np.zeros(3000, dtype=np.float32))
        silent.ecg[loud_from:] = 1.0

        bank = crop_bank([replace(silent, r_peaks=np.arange(500, 2000, 200))], 720, np.ones(1))

        assert bank.ecg.abs().max() <= 101.0 * 3.0
        assert bank.residue.isfinite().all()
        assert bank.ecg.isfinite().all()

    def test_cuts_pieces_at_absolute_places(self):
        bank = crop_bank([steady_strip(), steady_strip("b")], 720, np.ones(2))

        cut = bank.cut(bank.ecg, torch.tensor([3, 1600]), 5)

        torch.testing.assert_close(cut, torch.stack([bank.ecg[3:8], bank.ecg[1600:1605]]), rtol=0, atol=0)
