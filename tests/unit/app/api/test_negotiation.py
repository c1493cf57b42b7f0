import pytest

from app.api.negotiation import choose, media_ranges

JSON, SVG = "application/json", "image/svg+xml"


class TestChoose:
    @pytest.mark.parametrize(
        ("accept", "chosen"),
        [
            ("application/json", JSON),
            ("image/svg+xml", SVG),
            ("IMAGE/SVG+XML; charset=utf-8", SVG),
            ("image/*", SVG),
            ("application/*", JSON),
            ("*/*", JSON),
            ("", JSON),
            (" , ", JSON),
            ("image/svg+xml, application/json", JSON),  # A tie goes to the default.
            ("image/svg+xml, application/json;q=0.9", SVG),
            ("image/svg+xml;q=0.2, */*;q=0.1", SVG),
            ("application/json;q=0, */*", SVG),
            ("*/*;q=0.5, image/svg+xml;q=0", JSON),
            # Precision decides, not order: the range of all types is only for what nothing else names.
            ("*/*;q=1, image/*;q=0.1, application/json;q=0.05", SVG),
            ("text/html,application/xhtml+xml,image/avif,image/webp,*/*;q=0.8", JSON),
            ("image/avif,image/webp,image/svg+xml,image/*,*/*;q=0.8", SVG),
            ("text/html", None),
            ("application/json;q=0", None),
            ("image/svg+xml;q=0, application/json;q=0, text/html", None),
            ("application/problem+json", None),
        ],
    )
    def test_the_heaviest_media_type_wins(self, accept, chosen):
        assert choose(accept, (JSON, SVG)) == chosen

    @pytest.mark.parametrize(
        "malformed",
        ["image/svg+xml;q=2", "image/svg+xml;q=-1", "image/svg+xml;q=high", "image", "*/svg/x", ";q=1"],
    )
    def test_malformed_members_are_left_out(self, malformed):
        assert choose(f"{malformed}, application/json;q=0.1", (JSON, SVG)) == JSON
        assert choose(malformed, (JSON, SVG)) is None

    def test_a_long_header_costs_little(self):
        assert choose("a/b;q=0.1," * 10_000 + "image/svg+xml", (JSON, SVG)) == SVG


class TestMediaRanges:
    def test_parameters_beside_the_weight_are_ignored(self):
        (one,) = media_ranges("image/svg+xml ; profile=tiny ; Q=0.25 ; x")

        assert one == ("image", "svg+xml", 0.25)
