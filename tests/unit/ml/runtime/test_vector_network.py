"""Networks that give more than one vector, and preparations that give details."""

from typing import ClassVar

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ml.runtime.bundle import BundleError
from ml.runtime.details import DetailComparer
from ml.runtime.errors import NoVectorError
from ml.runtime.evidence import IMAGES, Evidence
from ml.runtime.preparation import FIXED, FREE, LOCAL, Preparation, Prepared
from ml.runtime.vector_network import VectorNetwork


class Equality(DetailComparer):
    best = 2

    def shortlist_size(self, enrolled):
        return enrolled

    def open(self, detail):
        return detail

    def compare(self, probe, enrolled):
        return np.array([2.0 * any(one in probe for one in theirs) - 1.0 for theirs in enrolled])


class Rows(Preparation[np.ndarray]):
    """A capture is some rows of two numbers; its first number, as bytes, is its detail."""

    modality, unit = "fingerprint", IMAGES
    reads: ClassVar = {"rows": (FREE, 2)}
    gives: ClassVar = {"vector": (1, FIXED), LOCAL: (FREE, FIXED)}

    @classmethod
    def from_dict(cls, _):
        return cls()

    @classmethod
    def constants(cls):
        return {}

    def prepare(self, capture):
        detail = np.float32(capture[0, 0]).tobytes()
        return Prepared({"rows": capture.astype(np.float32)}, Evidence(1.0, IMAGES, 0.9), detail=detail)

    def example(self):
        return np.ones((3, 2))

    def comparer(self):
        return Equality()


class Undetailed(Rows):
    gives: ClassVar = {"vector": (1, FIXED)}

    def comparer(self):
        return Preparation.comparer(self)


def network(*outputs: str) -> bytes:
    """Gives the sum of all rows as the vector, and the rows with a third number as local vectors."""
    widen = numpy_helper.from_array(np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32), "widen")
    nodes = [
        helper.make_node("MatMul", ["rows", "widen"], [LOCAL]),
        helper.make_node("ReduceSum", ["rows", "first_axis"], ["vector"], keepdims=1),
    ]
    first_axis = numpy_helper.from_array(np.array([0], dtype=np.int64), "first_axis")
    shapes = {"vector": (1, 2), LOCAL: ("n", 3)}
    graph = helper.make_graph(
        nodes,
        "rows",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ("n", 2))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[name]) for name in outputs],
        [widen, first_axis],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


CAPTURE = np.array([[3.0, 4.0], [0.0, 0.0], [0.0, -2.0]])


class TestEncode:
    def test_gives_unit_vectors_of_the_whole_and_of_its_parts(self):
        encoding = VectorNetwork(Rows(), network("vector", LOCAL)).encode(CAPTURE)

        np.testing.assert_allclose(encoding.vector, np.array([3.0, 2.0]) / np.sqrt(13.0), atol=1e-6)
        assert encoding.local is not None
        np.testing.assert_allclose(encoding.local, [[0.6, 0.8, 0.0], [0.0, -1.0, 0.0]], atol=1e-6)
        assert encoding.local.dtype == np.float32

    def test_parts_in_which_nothing_is_found_are_left_out(self):
        encoding = VectorNetwork(Rows(), network("vector", LOCAL)).encode(CAPTURE)

        assert encoding.local is not None
        assert len(encoding.local) == 2

    def test_a_part_that_is_not_a_number_is_refused(self):
        inner = VectorNetwork(Rows(), network("vector", LOCAL))
        outputs = inner.infer({"rows": CAPTURE.astype(np.float32)})

        inner.infer = lambda _: outputs._replace(local=np.full((1, 3), np.nan, dtype=np.float32))

        with pytest.raises(NoVectorError):
            inner.encode(CAPTURE)

    def test_passes_the_detail_on(self):
        encoding = VectorNetwork(Rows(), network("vector", LOCAL)).encode(CAPTURE)

        assert encoding.detail == np.float32(3.0).tobytes()

    def test_a_detail_is_not_in_the_repr(self):
        encoding = VectorNetwork(Rows(), network("vector", LOCAL)).encode(CAPTURE)

        assert repr(encoding.detail) not in repr(encoding)
        assert "detail" not in repr(encoding)

    def test_without_parts_there_are_no_local_vectors(self):
        encoding = VectorNetwork(Undetailed(), network("vector")).encode(CAPTURE)

        assert encoding.local is None

    def test_the_sizes_are_those_of_the_network(self):
        detailed = VectorNetwork(Rows(), network("vector", LOCAL))

        assert (detailed.vector_size, detailed.local_size) == (2, 3)
        assert VectorNetwork(Undetailed(), network("vector")).local_size == 0

    @pytest.mark.parametrize(
        ("preparation", "outputs"),
        [(Rows(), ("vector",)), (Undetailed(), ("vector", LOCAL)), (Rows(), (LOCAL,))],
    )
    def test_a_network_with_other_outputs_is_refused(self, preparation, outputs):
        with pytest.raises(BundleError, match="expected the outputs"):
            VectorNetwork(preparation, network(*outputs))


class TestComparer:
    def test_there_is_none_unless_the_preparation_offers_one(self):
        assert Undetailed().comparer() is None
        assert isinstance(Rows().comparer(), Equality)

    def test_it_need_not_know_mirrors(self):
        assert Equality().mirrored(b"detail") is None
