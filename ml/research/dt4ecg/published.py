"""Figures printed in the DT4ECG paper, for comparison with the measured ones.

Its data are private: 15 people, 3 activities (rest, one minute after a run, deep breathing), 3-s windows
dealt at random 7:3. Percent everywhere.

Source:
    You, Gu, Yang, Yu and Guo, DT4ECG: A dual-task learning framework for ECG-based human identity recognition
    and human activity detection, tables I–IV.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Net = tuple[str, str]
"""Backbone and attention."""


@dataclass(frozen=True)
class Row:
    """Accuracy, weighted precision, weighted recall and weighted F1 of one task."""

    accuracy: float
    precision: float
    recall: float
    f1: float


TABLE_1: Mapping[Net, tuple[Row, Row]] = {
    ("lstm", "none"): (Row(36.42, 36.49, 36.42, 35.80), Row(39.17, 39.37, 39.17, 39.15)),
    ("mlp", "none"): (Row(30.54, 31.01, 30.52, 30.28), Row(37.55, 37.67, 37.55, 37.50)),
    ("cnn", "none"): (Row(98.12, 98.16, 98.12, 98.11), Row(71.46, 72.57, 71.46, 70.93)),
    ("mobilenet", "none"): (Row(99.00, 99.02, 99.00, 98.99), Row(79.22, 79.05, 79.22, 79.09)),
    ("efficientnet", "none"): (Row(98.75, 98.76, 98.75, 98.74), Row(82.10, 83.50, 82.10, 81.78)),
    ("resnet", "none"): (Row(98.37, 98.39, 98.37, 98.36), Row(83.98, 84.16, 83.98, 84.01)),
    ("densenet", "none"): (Row(99.00, 99.01, 99.00, 98.99), Row(79.72, 82.13, 79.72, 79.85)),
    ("resnet", "sca"): (Row(99.12, 99.14, 99.12, 99.12), Row(90.11, 90.25, 90.11, 90.11)),
}
"""Identity (15 people) and activity (3 classes) by net, in the order of the paper."""

TABLE_2_IDENTITY = (
    ("Chen et al. 2012", "SVM", "MIT-BIH", "48", 80.0),
    ("Zhao et al. 2013", "EEMD + k-NN", "MIT-BIH (as printed)", "90", 95.0),
    ("Patro et al. 2020", "LASSO + k-NN", "ECG-ID", "20", 99.14),
    ("Bento et al. 2019", "spectrogram + CNN", "ECG-ID", "90", 73.54),
    ("Pourbabaee et al. 2018", "1-D CNN", "own", "33", 95.25),
    ("Zhao et al. 2024", "1-D CNN, multi-similarity loss", "own", "20", 99.86),
    ("DT4ECG", "1-D ResNet + SCA", "own", "15", 99.12),
)
"""Work, method, data, people, accuracy."""

TABLE_2_ACTIVITY = (
    ("Arani et al. 2021", "random forest; acceleration and PPG besides ECG", "PPG-DaLiA", "5", 88.44),
    ("O'Halloran and Curry 2019", "MLP; motion sensors besides ECG", "MHEALTH", "12", 90.55),
    ("Yatbaz et al. 2021", "CNN; motion sensors besides ECG", "MHEALTH", "12", 93.05),
    ("Yun et al. 2024", "1-D CNN", "own", "5", 82.86),
    ("DT4ECG", "1-D ResNet + SCA", "own", "3", 90.11),
)
"""Work, method, data, classes, accuracy."""

TABLE_3: Mapping[Net, tuple[float, float]] = {
    ("cnn", "none"): (98.12, 71.46),
    ("cnn", "se"): (98.62, 74.47),
    ("cnn", "mha"): (98.37, 72.97),
    ("cnn", "cbam"): (98.87, 73.47),
    ("cnn", "sca"): (99.00, 76.47),
    ("efficientnet", "none"): (98.75, 82.10),
    ("efficientnet", "se"): (98.75, 84.23),
    ("efficientnet", "mha"): (97.87, 80.73),
    ("efficientnet", "cbam"): (98.75, 82.60),
    ("efficientnet", "sca"): (99.12, 86.36),
    ("mobilenet", "none"): (99.00, 79.22),
    ("mobilenet", "se"): (99.00, 83.40),
    ("mobilenet", "mha"): (99.12, 86.11),
    ("mobilenet", "cbam"): (99.25, 83.35),
    ("mobilenet", "sca"): (99.00, 86.73),
    ("densenet", "none"): (99.00, 79.72),
    ("densenet", "se"): (98.75, 80.35),
    ("densenet", "mha"): (98.37, 79.47),
    ("densenet", "cbam"): (98.75, 77.85),
    ("densenet", "sca"): (98.37, 82.35),
    ("resnet", "none"): (98.37, 83.98),
    ("resnet", "se"): (98.62, 84.48),
    ("resnet", "mha"): (98.50, 82.60),
    ("resnet", "cbam"): (99.00, 86.61),
    ("resnet", "sca"): (99.12, 90.11),
}
"""Identity and activity accuracy by net, in the order of the paper."""

TABLE_4: Mapping[bool, tuple[float, float]] = {True: (98.75, 84.11), False: (95.13, 78.22)}
"""Identity and activity accuracy of ResNet + SCA after 20 epochs, with and without GradNorm."""
