"""Computed fingerprints, for demo, load, tests and calibration tails without anybody's images."""

from ml.synthetic.fingerprint.conditions import QUALITIES, Quality
from ml.synthetic.fingerprint.finger import ComputedFinger
from ml.synthetic.fingerprint.impression import Impression
from ml.synthetic.fingerprint.pattern import CLASS_SHARES, PatternClass
from ml.synthetic.fingerprint.sensors import SENSORS, Sensor
from ml.synthetic.fingerprint.true_minutiae import TrueMinutiae

__all__ = [
    "CLASS_SHARES",
    "QUALITIES",
    "SENSORS",
    "ComputedFinger",
    "Impression",
    "PatternClass",
    "Quality",
    "Sensor",
    "TrueMinutiae",
]
