import pytest

from ml.runtime.image.errors import DpiRequiredError
from ml.runtime.image.header import ImageFormat, ImageHeader
from ml.runtime.image.resolution import METER_INCHES, required_dpi, stated_dpi

SILENT = ImageHeader(ImageFormat.PNG, 300, 400)
STATING = ImageHeader(ImageFormat.PNG, 300, 400, dpi=1000)


class TestStatedDpi:
    @pytest.mark.parametrize("dpi", [100, 250, 500, 569, 1000, 2000])
    def test_survives_whole_pixels_per_meter(self, dpi):
        per_meter = round(dpi * METER_INCHES)

        assert stated_dpi(per_meter, per_meter, METER_INCHES) == dpi

    @pytest.mark.parametrize(("across", "down"), [(99, 99), (2001, 2001), (0, 0), (500, 506), (-500, -500)])
    def test_is_none_where_no_scanner_has_it(self, across, down):
        assert stated_dpi(across, down) is None


class TestRequiredDpi:
    def test_is_what_came_with_the_picture(self):
        assert required_dpi(500, STATING) == 500

    def test_else_what_the_file_states(self):
        assert required_dpi(None, STATING) == 1000

    def test_is_never_guessed(self):
        with pytest.raises(DpiRequiredError) as refused:
            required_dpi(None, SILENT)

        assert refused.value.code == "dpi_required"
