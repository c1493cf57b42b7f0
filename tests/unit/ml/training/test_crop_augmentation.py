from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ml.models.features import WINDOW_FS_HZ, WINDOW_SAMPLES  # noqa: E402
from ml.runtime.ecg.signal.windows import standardize_windows  # noqa: E402
from ml.training.crop_augmentation import SOURCE_SAMPLES, CropAugmentation, standardized  # noqa: E402
from ml.training.network_recipe import AugmentationConfig  # noqa: E402
from tests.unit.ml.training.banks import OFF, bank_of, people_bank  # noqa: E402

# Multiples of this fit a whole number of times into a window and into what filters see around it.
TONE_HZ = 7.8125
LENGTH = 1504
SECONDS = torch.arange(LENGTH) / WINDOW_FS_HZ
WINDOW_S = np.arange(WINDOW_SAMPLES) / WINDOW_FS_HZ


def tone(hz: float) -> torch.Tensor:
    """Unit root mean square, shape (LENGTH,)."""
    return 2**0.5 * torch.sin(2 * torch.pi * hz * SECONDS + 0.3)


def windows(bank, config, n=64, *, seed=1, noise=None, strip=0):
    augmentation = CropAugmentation(bank, config, noise, torch.Generator().manual_seed(seed))
    return augmentation.draw(torch.full((n,), strip), torch.arange(n) % 3).numpy().astype(np.float64)


def amplitudes(found, *tones_hz):
    """Size of each tone in each window by least squares, shape (n_windows, n_tones), and what is left."""
    phases = [2 * np.pi * hz * WINDOW_S for hz in tones_hz]
    basis = np.stack([np.ones(WINDOW_SAMPLES), *map(np.sin, phases), *map(np.cos, phases)], axis=1)
    weights = np.linalg.lstsq(basis, found.T, rcond=None)[0]
    sines, cosines = weights[1 : 1 + len(phases)], weights[1 + len(phases) :]
    return np.hypot(sines, cosines).T, found - (basis @ weights).T


def added(config, noise=None, n=600):
    """Root mean square of what a step adds, in units of the signal's, and the added signal itself."""
    found = windows(bank_of(tone(TONE_HZ)[None]), config, n=n, noise=noise)
    size, rest = amplitudes(found, TONE_HZ)
    rest = rest / (size / 2**0.5)
    return np.sqrt((rest**2).mean(axis=1)), rest


def power(signals):
    """Mean spectrum, and its frequencies."""
    spectrum = np.abs(np.fft.rfft(signals * np.hanning(WINDOW_SAMPLES), axis=1)) ** 2
    return spectrum.mean(axis=0), np.fft.rfftfreq(WINDOW_SAMPLES, 1 / WINDOW_FS_HZ)


def demodulated(rows, hz, n_smooth=48):
    """Size of a tone of about this frequency over the course of each row."""
    shifted = rows * np.exp(-2j * np.pi * hz * WINDOW_S)
    kernel = np.hanning(n_smooth + 2)[1:-1]
    smooth = [np.convolve(row, kernel / kernel.sum(), mode="valid") for row in shifted]
    return 2 * np.abs(np.array(smooth))


def turning_points(rows, threshold):
    """Places of the maxima above a threshold, to a fraction of a sample, per row."""
    inner = rows[:, 1:-1]
    is_peak = (inner > rows[:, :-2]) & (inner >= rows[:, 2:]) & (inner > threshold)
    for row, peaks in zip(rows, is_peak, strict=True):
        at = np.flatnonzero(peaks) + 1
        left, middle, right = row[at - 1], row[at], row[at + 1]
        yield at + 0.5 * (left - right) / (left - 2 * middle + right)


class TestCrops:
    def test_with_all_steps_off_a_window_is_a_piece_of_its_strip(self):
        ecg = torch.randn(2, LENGTH, generator=torch.Generator().manual_seed(0))

        found = windows(bank_of(ecg), OFF, n=30, strip=1)

        pieces = standardize_windows(ecg[1].unfold(0, WINDOW_SAMPLES, 1).numpy()).astype(np.float64)
        distance = np.abs(found[:, None] - pieces).max(axis=2).min(axis=1)
        assert distance.max() < 1e-4

    @pytest.mark.parametrize("part", [0, 1, 2])
    def test_crops_lie_in_their_third_of_the_places_there_are(self, part):
        ecg = torch.randn(1, LENGTH, generator=torch.Generator().manual_seed(0))
        augmentation = CropAugmentation(bank_of(ecg), OFF, None, torch.Generator().manual_seed(1))

        found = augmentation.draw(torch.zeros(200, dtype=torch.int64), torch.full((200,), part))

        pieces = torch.from_numpy(standardize_windows(ecg[0].unfold(0, WINDOW_SAMPLES, 1).numpy()))
        margin, room = (SOURCE_SAMPLES - WINDOW_SAMPLES) // 2, LENGTH - SOURCE_SAMPLES
        firsts = (found @ pieces.T).argmax(dim=1) - margin
        assert room * part // 3 <= firsts.min() < room * part // 3 + 15
        assert room * (part + 1) // 3 - 15 < firsts.max() <= room * (part + 1) // 3

    def test_no_crop_leaves_its_strip(self):
        ecg = torch.full((3, SOURCE_SAMPLES + 4), torch.nan)
        ecg[1] = torch.randn(SOURCE_SAMPLES + 4, generator=torch.Generator().manual_seed(0))
        # So that the strongest compression draws in what lies furthest away.
        bank = bank_of(ecg, residue=torch.zeros_like(ecg), stretch=torch.full_like(ecg, 1.7))

        found = windows(bank, replace(AugmentationConfig(), warp_share=1.0), n=600, strip=1)

        assert np.isfinite(found).all()

    def test_the_last_strip_can_be_as_short_as_a_crop(self):
        bank = bank_of(torch.randn(1, SOURCE_SAMPLES, generator=torch.Generator().manual_seed(0)))

        assert np.isfinite(windows(bank, OFF)).all()

    def test_shorter_strips_are_refused(self):
        bank = bank_of(torch.zeros(1, SOURCE_SAMPLES - 1))

        with pytest.raises(ValueError, match="704"):
            CropAugmentation(bank, OFF, None, torch.Generator())

    def test_noise_no_longer_than_a_crop_is_refused(self):
        with pytest.raises(ValueError, match="noise of over 512"):
            CropAugmentation(bank_of(tone(1.0)[None]), OFF, torch.zeros(512), torch.Generator())


class TestAllSteps:
    NOISE = torch.randn(2000, generator=torch.Generator().manual_seed(5))

    def test_the_generator_alone_decides(self):
        bank = people_bank()

        one, same, other = (windows(bank, AugmentationConfig(), seed=s, noise=self.NOISE) for s in (1, 1, 2))

        np.testing.assert_array_equal(one, same)
        assert np.abs(one - other).max() > 1.0

    def test_every_call_draws_anew(self):
        crops = CropAugmentation(people_bank(), AugmentationConfig(), None, torch.Generator().manual_seed(1))
        strips = torch.zeros(8, dtype=torch.int64)

        assert not torch.equal(crops.draw(strips, strips), crops.draw(strips, strips))

    def test_windows_are_standardized(self):
        found = windows(people_bank(), AugmentationConfig(), noise=self.NOISE, n=300)

        assert found.shape == (300, WINDOW_SAMPLES)
        np.testing.assert_allclose(found.mean(axis=1), 0.0, atol=0.02)  # Clipping may move it a little.
        np.testing.assert_allclose(np.sqrt((found**2).mean(axis=1)), 1.0, atol=0.05)
        assert np.abs(found).max() <= 8.0

    def test_they_are_float32(self):
        crops = CropAugmentation(people_bank(), AugmentationConfig(), self.NOISE, torch.Generator())

        assert crops.draw(torch.tensor([0]), torch.tensor([0])).dtype == torch.float32

    @pytest.mark.parametrize("level", [0.0, 0.1])
    def test_flat_strips_give_numbers(self, level):
        found = windows(bank_of(torch.full((2, LENGTH), level)), AugmentationConfig(), n=300)

        assert np.isfinite(found).all()


class TestHeartPeriod:
    PERIOD, T_DELAY = 100, 34
    OPTIONS = replace(OFF, warp_share=1.0, period_change=0.35, rate_jitter=0.0)

    def strip(self):
        """R and T waves every 0.8 s, and how their parts stretch."""
        since = (torch.arange(LENGTH) - 50) % self.PERIOD
        near = torch.minimum(since, self.PERIOD - since)
        ecg = torch.exp(-0.5 * (near / 3.0) ** 2)
        ecg += 0.4 * torch.exp(-0.5 * ((since - self.T_DELAY) / 6.0) ** 2)
        stretch = torch.full((LENGTH,), 1.7)
        stretch[since < 52] = 0.5
        stretch[since > 72] = 0.3
        stretch[near < 10] = 0.0
        return ecg[None], stretch[None]

    def measured(self):
        ecg, stretch = self.strip()
        found = windows(bank_of(ecg, stretch=stretch), self.OPTIONS, n=400)
        found = found / found.max(axis=1, keepdims=True)
        r_at = list(turning_points(found, 0.7))
        t_at = [at[at < WINDOW_SAMPLES - 30] for at in turning_points(np.where(found > 0.7, 0.0, found), 0.2)]
        return found, r_at, t_at, float(stretch[0, 50:150].mean())

    def test_rr_changes_by_the_given_share_times_the_stretch(self):
        _, r_at, _, mean_stretch = self.measured()

        change = np.array([np.diff(at).mean() / self.PERIOD - 1.0 for at in r_at]) / mean_stretch
        assert change.min() == pytest.approx(-0.7 * 0.35, abs=0.01)
        assert change.max() == pytest.approx(0.35, abs=0.01)
        assert change.mean() == pytest.approx(0.15 * 0.35, abs=0.025)  # Evenly between both.

    def test_the_t_wave_follows_by_its_smaller_stretch(self):
        found, r_at, _, mean_stretch = self.measured()

        for row, at in list(zip(found, r_at, strict=True))[:100]:
            change = (np.diff(at).mean() / self.PERIOD - 1.0) / mean_stretch
            first = round(at[0])
            t_wave = first + 18 + int(np.argmax(row[first + 18 : first + 60]))
            # Half of the change falls on the 24 or 25 samples between QRS and T.
            assert t_wave - at[0] == pytest.approx(self.T_DELAY + 0.5 * 24.5 * change, abs=1.1)

    def test_the_qrs_keeps_its_width(self):
        found, r_at, _, _ = self.measured()

        base = np.quantile(found, 0.3, axis=1)
        widths = []
        for row, at, zero in zip(found, r_at, base, strict=True):
            places = [r for r in at if 15 < r < WINDOW_SAMPLES - 15]
            for r in places:
                beat = row[round(r) - 12 : round(r) + 13] - zero
                half = beat.max() / 2
                left, right = np.flatnonzero(beat > half)[[0, -1]]
                widths.append(
                    right
                    - left
                    + (beat[right] - half) / (beat[right] - beat[right + 1])
                    + (beat[left] - half) / (beat[left] - beat[left - 1])
                )
        assert np.median(widths) == pytest.approx(2.355 * 3.0, rel=0.06)
        assert np.std(widths) < 0.25

    def test_rate_jitter_scales_all_of_time(self):
        bank = bank_of(tone(TONE_HZ)[None])

        found = windows(bank, replace(self.OPTIONS, period_change=0.0, rate_jitter=0.05), n=300)

        hz = [WINDOW_FS_HZ / np.diff(at[1:-1]).mean() for at in turning_points(found, 0.5)]
        assert min(hz) == pytest.approx(TONE_HZ / 1.05, rel=3e-3)
        assert max(hz) == pytest.approx(TONE_HZ / 0.95, rel=3e-3)

    def test_only_the_given_share_is_warped(self):
        ecg = torch.randn(1, LENGTH, generator=torch.Generator().manual_seed(0))
        bank = bank_of(ecg, stretch=torch.ones_like(ecg))
        config = replace(self.OPTIONS, warp_share=0.25, period_change=0.6)

        found = windows(bank, config, n=800)

        pieces = standardize_windows(bank.ecg.unfold(0, WINDOW_SAMPLES, 1).numpy())
        plain = (found @ pieces.T / WINDOW_SAMPLES).max(axis=1) > 0.999
        assert plain.mean() == pytest.approx(0.75, abs=0.06)


class TestRateJitter:
    def test_every_crop_has_its_own_rate(self):
        bank = bank_of(tone(TONE_HZ)[None])

        found = windows(bank, replace(OFF, rate_jitter=0.05), n=300)

        hz = np.array([WINDOW_FS_HZ / np.diff(at[1:-1]).mean() for at in turning_points(found, 0.5)])
        assert min(hz) == pytest.approx(TONE_HZ / 1.05, rel=3e-3)
        assert max(hz) == pytest.approx(TONE_HZ / 0.95, rel=3e-3)
        assert (np.abs(hz / TONE_HZ - 1.0) < 0.01).mean() == pytest.approx(0.2, abs=0.07)  # Evenly between.

    @pytest.mark.parametrize("warp_share", [0.0, 1.0])
    def test_high_frequencies_keep_their_size(self, warp_share):
        high_hz = 30.0
        config = replace(OFF, rate_jitter=0.005, warp_share=warp_share, period_change=0.0)

        found = windows(bank_of((tone(TONE_HZ) + tone(high_hz))[None]), config, n=50)

        # Within a window the places read move over all fractions of a sample: a line would damp in between.
        envelopes = [demodulated(found, hz) for hz in (TONE_HZ, high_hz)]
        ratio = envelopes[1] / envelopes[0].mean(axis=1, keepdims=True)
        np.testing.assert_allclose(ratio, 1.0, atol=0.03)


class TestResidue:
    OWN, OWN_REST, OTHER, OTHER_REST = TONE_HZ, 2 * TONE_HZ, 3 * TONE_HZ, 4 * TONE_HZ

    def sizes(self, share):
        rests = torch.stack([tone(self.OWN_REST), tone(self.OTHER_REST)])
        bank = bank_of(torch.stack([tone(self.OWN), tone(self.OTHER)]) + rests, residue=rests)
        found = windows(bank, replace(OFF, swap_share=share), n=600)
        size, rest = amplitudes(found, self.OWN, self.OWN_REST, self.OTHER, self.OTHER_REST)
        assert np.abs(rest).max() < 1e-3  # There is nothing else.
        return size[:, 1:] / size[:, :1]

    def test_the_template_stays_and_anothers_residue_comes(self):
        own_rest, other, other_rest = self.sizes(1.0).T

        foreign = other_rest > 0.1
        assert foreign.mean() == pytest.approx(0.5, abs=0.08)  # One of two strips is its own.
        assert own_rest[foreign].max() < 1e-3
        assert other.max() < 1e-3  # Never the other's beats.
        assert 0.5 <= other_rest[foreign].min() < 0.55
        assert 1.45 < other_rest[foreign].max() <= 1.5

    def test_the_share_is_kept(self):
        own_rest, _, other_rest = self.sizes(0.4).T

        plain = (np.abs(own_rest - 1.0) < 1e-4) & (other_rest < 1e-3)
        assert plain.mean() == pytest.approx(0.6, abs=0.07)


class TestRepolarization:
    def test_the_t_wave_alone_changes_by_a_log_normal_gain(self):
        since = (torch.arange(LENGTH) - 50) % 100
        near = torch.minimum(since, 100 - since)
        ecg = torch.exp(-0.5 * (near / 3.0) ** 2) + 0.4 * torch.exp(-0.5 * ((since - 34) / 6.0) ** 2)
        share = ((since > 14) & (since < 56)).float()

        found = windows(
            bank_of(ecg[None], repolarization=share[None]), replace(OFF, repolarisation_sd=0.3), n=600
        )

        r_at = found[:, :150].argmax(axis=1)[:, None]
        r, t, base = (np.take_along_axis(found, r_at + k, axis=1)[:, 0] for k in (0, 34, 75))
        log_gain = np.log((t - base) / (r - base) / 0.4)
        assert log_gain.std() == pytest.approx(0.3, rel=0.1)
        assert abs(log_gain.mean()) < 0.04


class TestChannel:
    LOW, MIDDLE, HIGH = 1.0, 2 * TONE_HZ, 7 * TONE_HZ

    def gains_db(self, config):
        """Of the middle and the high tone beside the low one."""
        ecg = sum(tone(hz) for hz in (self.LOW, self.MIDDLE, self.HIGH))
        size, _ = amplitudes(windows(bank_of(ecg[None]), config, n=600), self.LOW, self.MIDDLE, self.HIGH)
        return 20 * np.log10(size[:, 1:] / size[:, :1]).T

    def shelves_db(self, hz, low_db, high_db, low_hz, high_hz):
        def shelf(corner_hz, db):
            return (1 + 10 ** (db / 20) * 1j * hz / corner_hz) / (1 + 1j * hz / corner_hz)

        return 20 * np.log10(abs(shelf(low_hz, low_db) * shelf(high_hz, high_db)))

    def test_shelves_stay_within_and_reach_what_two_of_them_can_do(self):
        middle_db, high_db = self.gains_db(replace(OFF, equaliser_db=6.0))

        for found, hz in ((middle_db, self.MIDDLE), (high_db, self.HIGH)):
            possible = [
                self.shelves_db(hz, low, high, low_hz, high_hz)
                - self.shelves_db(self.LOW, low, high, low_hz, high_hz)
                for low in (-6, 0, 6)
                for high in (-6, 0, 6)
                for low_hz in (0.8, 1.8, 4.0)
                for high_hz in (8.0, 14.0, 25.0)
            ]
            assert min(possible) - 0.7 < found.min() < 0.75 * min(possible)
            assert 0.75 * max(possible) < found.max() < max(possible) + 0.7
            assert abs(np.mean(found)) < 0.5

    def test_without_gain_there_is_no_shelf(self):
        np.testing.assert_allclose(self.gains_db(OFF), 0.0, atol=0.01)

    def test_an_input_stage_is_a_first_order_high_pass(self):
        middle_db, high_db = self.gains_db(replace(OFF, high_pass_share=1.0, high_pass_hz=(1.0, 1.0)))

        # The edges of what the filter sees do not fit together, hence the tolerance.
        np.testing.assert_allclose(middle_db, 20 * np.log10(2**0.5), atol=1.0)
        assert np.mean(middle_db) == pytest.approx(20 * np.log10(2**0.5), abs=0.2)
        np.testing.assert_allclose(high_db - middle_db, 0.0, atol=0.05)

    def test_a_low_pass_is_of_second_order(self):
        middle_db, high_db = self.gains_db(replace(OFF, low_pass_share=1.0, low_pass_hz=(20.0, 20.0)))

        for found, hz in ((middle_db, self.MIDDLE), (high_db, self.HIGH)):
            np.testing.assert_allclose(found, -20 * np.log10(1 + (hz / 20) ** 2), atol=0.1)

    def test_corners_are_even_by_logarithm(self):
        _, high_db = self.gains_db(replace(OFF, low_pass_share=1.0, low_pass_hz=(10.0, 40.0)))

        corners_hz = self.HIGH / np.sqrt(10 ** (-high_db / 20) - 1)
        assert corners_hz.min() == pytest.approx(10.0, rel=0.05)
        assert corners_hz.max() == pytest.approx(40.0, rel=0.05)
        assert np.median(corners_hz) == pytest.approx(20.0, rel=0.1)

    @pytest.mark.parametrize("name", ["high_pass_share", "low_pass_share"])
    def test_the_share_is_kept(self, name):
        low_pass, high_pass = (20.0, 20.0), (1.0, 1.0)
        config = replace(OFF, high_pass_hz=high_pass, low_pass_hz=low_pass, **{name: 0.3})

        middle_db, _ = self.gains_db(config)

        assert (np.abs(middle_db) > 0.5).mean() == pytest.approx(0.3, abs=0.06)


class TestNoise:
    def test_muscle_noise_has_the_given_size(self):
        size, _ = added(replace(OFF, muscle_share=1.0, muscle_size=0.25))

        # Sizes are even from 0 to the largest; each piece of noise varies a little about its own.
        assert np.sqrt((size**2).mean()) == pytest.approx(0.25 / 3**0.5, rel=0.08)
        assert size.max() < 0.25 * 1.25

    def test_muscle_noise_has_its_band(self):
        _, rest = added(replace(OFF, muscle_share=1.0, muscle_size=0.25))

        spectrum, hz = power(rest)
        inside = (hz > 14.0) & (hz < 61.0)
        assert spectrum[inside].sum() > 0.99 * spectrum.sum()
        edges = [(15.5, 25.0), (25.0, 40.0), (40.0, 59.5)]
        means = [spectrum[(hz > low) & (hz < high)].mean() for low, high in edges]
        assert max(means) < 1.2 * min(means)  # White inside.

    def test_drift_has_the_given_size(self):
        size, _ = added(replace(OFF, drift_share=1.0, drift_size=0.4))

        assert np.sqrt((size**2).mean()) == pytest.approx(0.4 / 3**0.5, rel=0.12)

    def test_drift_has_its_band(self):
        _, rest = added(replace(OFF, drift_share=1.0, drift_size=0.4))

        spectrum, hz = power(rest)
        assert spectrum[hz < 2.2].sum() > 0.99 * spectrum.sum()

    def test_pieces_of_unreadable_recordings_are_added(self):
        noise = torch.cat([tone(3 * TONE_HZ)] * 2)

        size, rest = added(replace(OFF, noise_share=1.0, noise_size=0.6), noise=noise)

        assert size.min() < 0.03
        assert 0.57 < size.max() < 0.601
        assert size.mean() == pytest.approx(0.3, abs=0.03)
        assert amplitudes(rest, 3 * TONE_HZ)[0].max() / 2**0.5 == pytest.approx(size.max(), rel=1e-3)

    def test_without_recordings_nothing_is_added(self):
        size, _ = added(replace(OFF, noise_share=1.0), n=20)

        assert size.max() < 1e-3

    @pytest.mark.parametrize("name", ["muscle", "drift", "noise"])
    def test_the_share_is_kept(self, name):
        config = replace(OFF, **{f"{name}_share": 0.4, f"{name}_size": 1.0})

        size, _ = added(config, noise=torch.cat([tone(3 * TONE_HZ)] * 2))

        assert (size > 1e-3).mean() == pytest.approx(0.4, abs=0.07)


class TestMotion:
    def steps(self, share=1.0):
        """Largest jump of each window, in units of the signal's root mean square."""
        # Four samples per period, each as far from zero as the others: differences cancel exactly.
        ecg = torch.tensor([1.0, 1.0, -1.0, -1.0]).repeat(LENGTH // 4)
        found = windows(bank_of(ecg[None]), replace(OFF, motion_share=share, motion_size=0.5), n=1000)
        unit = np.median(np.abs(found[:, 2:] - found[:, :-2]), axis=1) / 2
        jumps = (found[:, 4:] - found[:, :-4]) / unit[:, None]
        return jumps

    def test_steps_have_the_given_size(self):
        largest = np.abs(self.steps()).max(axis=1)

        # Three in four of them fall into the window; of the others at most a slow tail is seen.
        hit = np.sort(largest)[-720:]
        assert np.sqrt((hit**2).mean()) == pytest.approx(0.5, rel=0.15)

    def test_a_step_decays_towards_where_it_came_from(self):
        jumps = self.steps()

        clear = jumps[np.abs(jumps).max(axis=1) > 0.4]
        for row in clear:
            at = int(np.abs(row).argmax())
            after = row[at + 4 :]  # From the first sample behind the step on.
            assert (np.sign(row[at]) * after < 1e-3).all()
            assert np.abs(row[: max(0, at - 4)]).max(initial=0.0) < 1e-3

    def test_the_share_is_kept(self):
        disturbed = (np.abs(self.steps(share=0.3)) > 1e-4).any(axis=1)

        assert disturbed.mean() == pytest.approx(0.3, abs=0.06)


class TestQuantization:
    def quanta(self, share):
        """Distance of the levels of each window, in units of the signal; 0 for those not quantized."""
        ecg = torch.sin(2 * torch.pi * 1.7 * SECONDS) * 2**0.5
        found = windows(bank_of(ecg[None]), replace(OFF, quantisation_share=share, quantisation_step=0.5))
        for row in found:
            levels = np.unique(np.round(row, 4))
            if levels.size > 150:  # The finest converter has 113 of them.
                yield 0.0
                continue
            steps = np.diff(levels)
            np.testing.assert_allclose(steps / steps.min(), np.round(steps / steps.min()), atol=0.03)
            yield steps.min() * 2 * 2**0.5 / (levels[-1] - levels[0])

    def test_levels_have_distances_up_to_the_given_one(self):
        quanta = np.array(list(self.quanta(1.0)))

        assert quanta.min() > 0.0
        assert 0.3 < quanta.max() < 0.62  # The outermost levels are not quite the outermost values.
        assert np.median(quanta) == pytest.approx(0.25, abs=0.12)

    def test_the_share_is_kept(self):
        quanta = np.array(list(self.quanta(0.4)))

        assert (quanta > 0.0).mean() == pytest.approx(0.4, abs=0.2)


class TestInversion:
    def test_an_inverted_window_is_exactly_the_negative(self):
        bank = people_bank()

        upright = windows(bank, OFF)
        inverted = windows(bank, replace(OFF, invert_share=1.0))

        np.testing.assert_array_equal(inverted, -upright)

    def test_the_share_is_kept(self):
        upright = windows(people_bank(), OFF, n=1000)

        found = windows(people_bank(), replace(OFF, invert_share=0.25), n=1000)

        assert ((found * upright).sum(axis=1) < 0.0).mean() == pytest.approx(0.25, abs=0.05)


class TestStandardized:
    def test_agrees_with_the_windows_of_service(self):
        rows = torch.randn(5, WINDOW_SAMPLES, generator=torch.Generator().manual_seed(0)) * 3.0 + 2.0
        rows[4, 100] = 1000.0  # Is clipped.

        np.testing.assert_allclose(standardized(rows), standardize_windows(rows.numpy()), atol=2e-6)
        assert standardized(rows).max() == 8.0

    @pytest.mark.parametrize("level", [0.0, 0.1, -37.3, 1e-6, 1e-20])
    def test_flat_windows_give_zeros(self, level):
        assert not standardized(torch.full((2, WINDOW_SAMPLES), level)).any()
