"""The model card of an activity bundle."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any


def activity_card(fields: Mapping[str, Any]) -> str:
    """Write the card from the fields of `bundle.json`."""
    rows = "\n".join(_row(point) for point in fields["operating_points"])
    groups = "; ".join(f"{group} = {', '.join(own)}" for group, own in fields["groups"].items())
    lengths = ", ".join(f"{context_s:g}" for context_s in fields["preprocessing"]["contexts_s"])
    steps = fields["preprocessing"]
    summary = (
        f"What the wearer of one lead of ECG is doing: {', '.join(fields['classes'])}; grouped: {groups}. "
        f"Linear heads on {len(steps['features'])} features made by hand (rhythm, shape of the beats, what "
        f"movement leaves besides them), for windows of {lengths} s, with and without the rhythm of the "
        f"wearer at rest. Timelines chain segments of {steps['step_s']:g} s, where an activity is taken to "
        f"last {steps['dwell_s']:g} s on average."
    )
    return f"""# {fields["id"]}@{fields["version"]}

{fill(summary, 110)}

- Licence: {fields["licence"]}, as the data are: {"; ".join(fields["training_data"])}.
  No other bundle learned from them, and this one learned from nothing else.
- Gain and polarity of a strip change nothing.
- Recipe {fields["recipe_sha256"][:12]}, code {fields["git_revision"][:12]}.

## Measured on people left out (protocol A3)

{fields["calibration_data"]["people"]} people, leave one person out; shrinkage and temperature of each head
were chosen by leaving out one after another of the others. Windows that allow no call count as wrong.
Intervals are 95 %, over people: ten of them say little about others; errors come by person, not by window.

| asked about | own rest | windows | 5 classes | 3 classes | ECE, 5 classes | ECE, 3 classes |
|---|---|---|---|---|---|---|
{rows}

Own rest: the first 20 s of the wearer's rest strip with the same electrode, which nothing is asked about. It
must be of the same sitting: with that of another electrode, worn minutes before or after, calls are worse
than without any (docs/results/activity/comparison.json). Which features are compared with it was chosen
among three kinds by looking at these people.

## Limits

- Ten people, nothing told of their age or health, one session each; one make of wearable, its place on the
  body not stated; walking at 4 km/h and running at 8 km/h only. No other sensor, place or population was
  ever seen, and there the probabilities are not true: of people taken to be at rest before two other sensors,
  50 and 61 % were called something else (docs/results/activity/other-sensors.json).
- The trunk of `ecg`, read beside these features, adds 5 points (3 classes) at 3 s and loses 5 at 30 s, with
  less true probabilities at both (docs/results/activity/comparison.json).
- All classes are taken to be equally likely beforehand. Whatever else a wearer does (sit, cycle, sleep,
  drive) is called by the likeliest of these names.
- Every recording holds one activity; timelines were measured on recordings put one after another.
- Where there is no contact, where the amplifier is at its rails, or where nothing looks like heartbeats, no
  call is made. On some seconds of running that happens although somebody runs.
- Not a medical device.
"""


def _row(point: Mapping[str, Any]) -> str:
    return (
        f"| {point['asked']} | {'yes' if point['own_rest'] else 'no'} | {point['windows']} "
        f"| {_share(point, 'accuracy_5')} | {_share(point, 'accuracy_3')} "
        f"| {100 * point['ece_5']:.1f} % | {100 * point['ece_3']:.1f} % |"
    )


def _share(point: Mapping[str, Any], name: str) -> str:
    low, high = point[f"{name}_interval_95"]
    return f"{100 * point[name]:.1f} % ({100 * low:.0f}–{100 * high:.0f})"
