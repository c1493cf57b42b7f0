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
        f"Predicts what the wearer of one lead of ECG is doing: {', '.join(fields['classes'])}. "
        f"Groups: {groups}. "
        f"Two views add their log probabilities. The first is {len(steps['features'])} features made by "
        f"hand: rhythm, shape of the beats, and the noise that movement leaves. The second is what the "
        f"stages of an identity network compute from windows of 3 s, with a weight of {share:g}. The heads "
        f"are linear. There are heads for windows of {lengths} s, with and without a resting strip. "
        f"A timeline has segments of "
        f"{steps['step_s']:g} s and assumes that an activity lasts {steps['dwell_s']:g} s on average."
    )
    return f"""# {fields["id"]}@{fields["version"]}

{fill(summary, 110)}

- License: {fields["licence"]}, like the first of its data: {"; ".join(fields["training_data"])}.
- No other bundle was trained on the first set. The network (here in 8-bit integers) never saw it: it was
  trained to tell people of the second set apart.
- The second set also serves against domain shift. The mean of some of its people at rest differs from rest
  on the sensor of the first set in some direction. The heads hardly use that direction. No head is trained
  on these people as examples of rest.
- Values outside the middle 90 % of the training data are clipped to its edges.
- Gain and polarity of a recording do not matter: it is turned so that its heartbeats point up.
- Recipe {fields["recipe_sha256"][:12]}, code {fields["git_revision"][:12]}.

## Evaluated on held-out people (protocol A3)

{fields["calibration_data"]["people"]} people; each is held out once. Shrinkage, temperature, the share of
uninformative windows and the correlation between windows of a recording are selected on the other people.
One choice saw everyone: the weight of the network, which minimizes the loss on held-out people
(results/activity/fusion.json). Unreadable windows count as wrong.

Intervals are 95 %, over people. Ten people say little about others, and errors cluster by person. The
number in brackets beside a calibration error (ECE) is what perfectly calibrated probabilities would show
with as many independent predictions.

| evaluated on | resting strip | windows | 5 classes | 3 classes | ECE, 5 classes | ECE, 3 classes |
|---|---|---|---|---|---|---|
{rows}

The resting strip is the first 20 s of the wearer's rest with the same electrode. It is not evaluated. It
has to come from the same session: a resting strip of another electrode, worn minutes earlier or later,
makes predictions worse than none (results/activity/comparison.json).

Three choices were made among some fifty variants by their results on these people and on people at rest
with two other sensors: which features are compared with the resting strip, where inputs are clipped, and
how strongly the other sensor counts (docs/results/other-sensors-trials.md). Differences of a point
between those variants are chance.

## Limits

- Ten people, one session each, of unknown age and health. One make of wearable, at an unknown place on the
  body. Walking was at 4 km/h and running at 8 km/h only.
- Probabilities are not valid on other sensors. Correct predictions for people at rest
  (results/activity/other-sensors.json):

  | people at rest | alone | with a resting strip |
  |---|---|---|
  | clinical, lying; selected the fit | 87 % | – |
  | hand-held; selected the fit | 83 % | 98 % |
  | hand-held; held-out people | 88 % | 97 % |
  | a third sensor; held-out, 90 people | 39 % | 80 %, from another recording |

- Other activities were not evaluated on other sensors.
- Features made by hand alone lose 5 points (3 classes) at 3 s and next to nothing at 30 s. The network
  alone, or both views in one covariance, lose at 30 s (results/activity/comparison.json).
- All classes are assumed equally likely beforehand. Any other activity (sitting, cycling, sleep, driving)
  is predicted as the most similar class.
- Every recording holds one activity. Timelines were evaluated on joined recordings.
- The classifier abstains without contact, with a saturated amplifier, or where nothing looks like
  heartbeats. It also abstains on some seconds of running.
- This is not a medical device.
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
