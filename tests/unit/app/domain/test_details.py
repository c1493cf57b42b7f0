import numpy as np
import pytest

from app.domain.details import Detail, pack, unpack

LOCAL = np.array([[0.6, 0.8, 0.0], [0.0, -1.0, 0.0]], dtype=np.float32)


class TestPack:
    def test_a_detail_and_its_local_vectors_come_back(self):
        detail, local = unpack(pack(b"minutiae", LOCAL))

        assert detail == b"minutiae"
        assert local.dtype == np.float32
        np.testing.assert_allclose(local, LOCAL, atol=5e-4)

    @pytest.mark.parametrize("local", [np.zeros((0, 3)), np.zeros((0, 0))], ids=str)
    def test_there_may_be_no_local_vector(self, local):
        detail, found = unpack(pack(b"minutiae", local.astype(np.float32)))

        assert detail == b"minutiae"
        assert found.shape == local.shape

    @pytest.mark.parametrize("cut", [0, 5, 12, -1])
    def test_what_is_cut_short_is_refused(self, cut):
        with pytest.raises(ValueError, match="detail"):
            unpack(pack(b"minutiae", LOCAL)[:cut])

    def test_another_version_is_refused(self):
        with pytest.raises(ValueError, match="version"):
            unpack(b"\2" + pack(b"minutiae", LOCAL)[1:])


class TestDetail:
    def test_is_parsed_once_and_only_if_it_is_compared(self):
        parsed = []
        detail = Detail(b"minutiae", lambda content: parsed.append(content) or content.upper())

        assert parsed == []
        assert [detail.opened, detail.opened] == [b"MINUTIAE"] * 2
        assert parsed == [b"minutiae"]

    def test_is_not_shown(self):
        assert "minutiae" not in repr(Detail(b"minutiae", bytes.upper))
