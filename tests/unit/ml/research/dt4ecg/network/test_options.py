from dataclasses import dataclass

import pytest

from ml.research.dt4ecg.network.options import check_choice, make_options


@dataclass(frozen=True)
class Kettle:
    liters: float = 1.0
    colors: tuple[str, ...] = ("red",)

    def __post_init__(self):
        if self.liters <= 0:
            raise ValueError("liters must be positive")


class TestMakeOptions:
    def test_what_is_not_given_keeps_its_default(self):
        assert make_options(Kettle, "kettle", {"liters": 2.0}) == Kettle(liters=2.0)

    def test_lists_become_tuples(self):
        assert make_options(Kettle, "kettle", {"colors": ["red", "blue"]}).colors == ("red", "blue")

    def test_unknown_names_are_reported_with_the_known_ones(self):
        with pytest.raises(
            ValueError, match=r"kettle: unknown \['lid', 'spout'\], known are \['liters', 'colors'\]"
        ):
            make_options(Kettle, "kettle", {"spout": 1, "liters": 2.0, "lid": 0})

    def test_values_that_the_options_refuse_are_refused(self):
        with pytest.raises(ValueError, match="positive"):
            make_options(Kettle, "kettle", {"liters": 0.0})


class TestCheckChoice:
    def test_a_choice_passes(self):
        check_choice("color", "red", ("red", "blue"))

    def test_the_message_lists_the_choices(self):
        with pytest.raises(ValueError, match=r"color: expected one of \['red', 'blue'\], got 'green'"):
            check_choice("color", "green", ("red", "blue"))
