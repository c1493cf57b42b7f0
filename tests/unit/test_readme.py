"""The README's table of accuracy says what the kept results hold."""

import json
from pathlib import Path
from typing import Any

import pytest

from ml.evaluation.kept_results import read_bundle

ROOT = Path(__file__).parents[2]
# First words of a row → protocol and variant.
ROWS = {
    "E2: ECG-ID": ("E2", "20 s"),
    "E2: first 5 s": ("E2", "first 5 s"),
    "E2: first 3 s": ("E2", "first 3 s"),
    "E3: ": ("E3", "rec_1 → last day"),
    "E3-multi: ": ("E3-multi", "earlier days → last day"),
    "E3b: ": ("E3b", "day → other day"),
    "D1: ": ("D1", "first → last"),
    "E11: ": ("E11", "minutes 0–5 → 10 s of 25–30"),
}


def kept(encoder: str, protocol: str, variant: str) -> dict[str, Any]:
    found = read_bundle(ROOT / "results", encoder).variant(protocol, variant)
    assert found is not None
    return dict(found)


def row(start: str) -> list[str]:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith(f"| {start}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


class TestTableOfAccuracy:
    @pytest.mark.parametrize("start", ROWS)
    def test_errors_and_eer_are_those_of_the_results(self, start: str) -> None:
        _, errors, eer, beat_errors, beat_eer, _, _ = row(start)
        network, beat = (kept(encoder, *ROWS[start]) for encoder in ("ecg", "ecg-beat"))

        assert errors.startswith("{count}/{n}".format(**network["rank_1_errors"]))
        assert eer == "{:.1f} % ({:.1f}–{:.1f})".format(
            *(100 * value for value in (network["eer"], *network["eer_interval"]))
        )
        assert beat_errors == "{count}/{n}".format(**beat["rank_1_errors"])
        assert beat_eer == f"{100 * beat['eer']:.1f} %"


class TestActivity:
    def results(self, name: str) -> dict[str, Any]:
        path = ROOT / "results" / "activity" / name
        return json.loads(path.read_text(encoding="utf-8"))

    def told(self) -> str:
        text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
        return text[text.index("**Only for the sensor it was fitted to.**") :]

    def test_people_at_rest_on_other_sensors_are_those_of_the_results(self) -> None:
        clinical, held, own_rest = (
            row["called"]["rest"] for row in self.results("other-sensors.json")["rows"]
        )

        assert f"it calls {clinical} `rest`" in self.told()
        assert f"and {held} with a hand-held device (CinC 2017), {own_rest} with own rest" in self.told()

    def test_people_who_chose_nothing_are_those_of_the_results(self) -> None:
        held, held_own, never, never_own = (
            row["called"]["rest"] for row in self.results("other-sensors.json")["confirmation"]
        )

        assert f"who chose nothing, {held} and with own rest {held_own} of 200" in self.told()
        assert f"only {never}, and {never_own} of 89" in self.told()

    def test_accuracy_on_its_own_sensor_is_that_of_the_results(self) -> None:
        rows = [row for row in self.results("a3.json")["rows"] if row["asked"].startswith("windows without")]
        shares = {
            (row["context_s"], row["own_rest"]): f"{100 * row['classes_3']['accuracy']:.1f}" for row in rows
        }

        long = f"{shares[30.0, False]} % of windows, with own rest in {shares[30.0, True]} %"
        assert f"{long}; 3 s in {shares[3.0, False]} and {shares[3.0, True]} %" in self.told()
