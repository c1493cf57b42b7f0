import pytest

from ml.runtime.image.errors import ImageUndecodableError
from ml.runtime.image.opening import open_image


class TestOpenImage:
    @pytest.mark.parametrize(
        "content",
        [b"", b"B", b"GIF89a" + bytes(50), b"RIFF\0\0\0\0WEBPVP8 ", b"II*\0" + bytes(50), b"<svg/>"],
    )
    def test_refuses_other_formats(self, content):
        with pytest.raises(ImageUndecodableError, match="Expected a PNG, JPEG or BMP"):
            open_image(content)

    @pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM"])
    def test_refuses_a_mere_beginning(self, start):
        with pytest.raises(ImageUndecodableError, match="cut short"):
            open_image(start)
