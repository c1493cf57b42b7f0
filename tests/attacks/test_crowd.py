"""Before any attack: the people who belong here are recognized."""

import pytest

from tests.attacks.crowd import ENROLLED, STRANGERS

pytestmark = pytest.mark.real_data


class TestCrowd:
    def test_roles_are_filled_with_different_people(self, crowd):
        names = [person.name for person in (*crowd.enrolled, *crowd.strangers)]

        assert (len(crowd.enrolled), len(crowd.strangers)) == (ENROLLED, STRANGERS)
        assert len(set(names)) == len(names)

    def test_enrolled_people_are_verified_by_their_second_recording(self, attacked, crowd):
        assert crowd.genuine_matches(attacked, crowd.enrolled[:30]) >= 29
