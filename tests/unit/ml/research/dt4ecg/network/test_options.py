from dataclasses import dataclass

import pytest

from ml.research.dt4ecg.network.options import check_choice, make_options


@dataclass(frozen=True)
class Kettle:
    litres: float = 1.0
    colours: tuple[str, ...] = ("red",)

    def __post_init__(self):
        if self.litres <= 0:
            raise ValueError("litres must be positive")


class TestMakeOptions:
    def test_what_is_not_given_keeps_its_default(self):
        assert make_options(Kettle, "kettle", {"litres": 2.0}) == Kettle(litres=2.0)

    def test_lists_become_tuples(self):
        assert make_options(Kettle, "kettle", {"colours": ["red", "blue"]}).colours == ("red", "blue")

    def test_unknown_names_are_told_with_the_known_ones(self):
        with pytest.raises(
            ValueError, match=r"kettle: unknown \['lid', 'spout'\], known are \['litres', 'colours'\]"
        ):
            make_options(Kettle, "kettle", {"spout": 1, "litres": 2.0, "lid": 0})

    def test_values_that_the_options_refuse_are_refused(self):
        with pytest.raises(ValueError, match="positive"):
            make_options(Kettle, "kettle", {"litres": 0.0})


class TestCheckChoice:
    def test_a_choice_passes(self):
        check_choice("colour", "red", ("red", "blue"))

    def test_others_are_told_the_choices(self):
        with pytest.raises(ValueError, match=r"colour: expected one of \['red', 'blue'\], got 'green'"):
            check_choice("colour", "green", ("red", "blue"))
