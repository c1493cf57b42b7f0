"""The picture in docs/operations.md is what the service draws now."""

import re

import pytest

from tests.quality_picture import PICTURE, quality_picture

TRACE = re.compile(r'(transform="scale\(\.1\)") d="([^"]*)"')


@pytest.fixture(scope="module")
def pictures():
    return PICTURE.read_text(), quality_picture()


class TestCommittedPicture:
    def test_says_what_the_service_says(self, pictures):
        """`python -m tests.quality_picture` writes it anew."""
        committed, current = (TRACE.sub(r"\1", picture) for picture in pictures)

        assert committed == current

    def test_has_the_same_lines(self, pictures):
        """Another processor may round a point of a thousand otherwise."""
        committed, current = (TRACE.findall(picture) for picture in pictures)

        assert len(committed) == len(current)
        for (_, before), (_, now) in zip(committed, current, strict=True):
            assert before[:4] == now[:4]
            assert len(before) == pytest.approx(len(now), rel=0.02)

    def test_shows_what_is_used_and_what_is_not(self, pictures):
        committed, _ = pictures

        assert "not used: flat" in committed
        assert "used · 0.9" in committed
