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
    steps, share = fields["preprocessing"], fields["calibration"]["view_shares"][-1]
    summary = (
        f"What the wearer of one lead of ECG is doing: {', '.join(fields['classes'])}; grouped: {groups}. "
        f"Linear heads on {len(steps['features'])} features made by hand (rhythm, shape of the beats, what "
        f"movement leaves besides them) and on what the stages of an identity network say of windows of 3 s; "
        f"log probabilities of both add up, the network's with a weight of {share:g}. There are heads for "
        f"windows of {lengths} s, with and without the wearer at rest. Timelines chain segments of "
        f"{steps['step_s']:g} s, where an activity is taken to last {steps['dwell_s']:g} s on average."
    )
    return f"""# {fields["id"]}@{fields["version"]}

{fill(summary, 110)}

- Licence: {fields["licence"]}, as the first of the data are: {"; ".join(fields["training_data"])}.
  No other bundle learned from the first, which the network (here in 8-bit integers) never saw: it was
  trained to tell people of the second apart. Of some of these at rest the heads know the direction in which
  their mean differs from that of rest with the sensor of the first; they hardly look along it, whatever the
  activity, and none is told that it means rest.
- What lies beyond the middle 90 % of what was learned from counts as lying at its edge.
- Gain and polarity of a strip change nothing: it is turned so that its heartbeats point up.
- Recipe {fields["recipe_sha256"][:12]}, code {fields["git_revision"][:12]}.

## Measured on people left out (protocol A3)

{fields["calibration_data"]["people"]} people, leave one person out; shrinkage and temperature of each head,
the share of windows that it takes to say nothing, and the correlation between windows of a strip were chosen
by leaving out one after another of the others. How much the network counts is one number for all heads: the
one with the least loss of people left out (results/activity/fusion.json), everybody having had a say.
Windows that allow no call count as wrong. Intervals are 95 %, over people: ten of them say little about
others; errors come by person, not by window. Beside each calibration error (ECE), in brackets, the one that
true probabilities would have with as many predictions, were each right or wrong on its own.

| asked about | own rest | windows | 5 classes | 3 classes | ECE, 5 classes | ECE, 3 classes |
|---|---|---|---|---|---|---|
{rows}

Own rest: the first 20 s of the wearer's rest strip with the same electrode, which nothing is asked about. It
must be of the same sitting: with that of another electrode, worn minutes before or after, calls are worse
than without any (results/activity/comparison.json). Which features are compared with it, where inputs
end and how much the other sensor counts was chosen among some fifty ways by looking at these people and at
people at rest on two other sensors (docs/results/other-sensors-trials.md): differences of a point
between those ways are chance.

## Limits

- Ten people, nothing told of their age or health, one session each; one make of wearable, its place on the
  body not stated; walking at 4 km/h and running at 8 km/h only. With other sensors the probabilities are not
  true. Of people at rest there, 87 % (clinical, lying) and 83 % (hand-held) were called so, 98 % with own
  rest: these chose how heads were fitted. Of people who chose nothing, 88 and 97 % (own rest) with the
  hand-held device, but with a third one, never met, 39 % of 90 people, and 80 % with own rest of another
  recording (results/activity/other-sensors.json). Of other activities there nothing is known.
- Features made by hand alone lose 5 points (3 classes) at 3 s and next to none at 30 s; the network alone, or
  both in one covariance, lose at 30 s (results/activity/comparison.json).
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
        f"| {_calibration(point, 'ece_5')} | {_calibration(point, 'ece_3')} |"
    )


def _calibration(point: Mapping[str, Any], name: str) -> str:
    return f"{100 * point[name]:.1f} % ({100 * point[f'{name}_if_true']:.1f})"


def _share(point: Mapping[str, Any], name: str) -> str:
    low, high = point[f"{name}_interval_95"]
    return f"{100 * point[name]:.1f} % ({100 * low:.0f}–{100 * high:.0f})"
