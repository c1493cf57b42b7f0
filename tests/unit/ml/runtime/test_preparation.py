import ast
from pathlib import Path

import pytest

from ml.runtime.ecg.signal import constants
from ml.runtime.ecg.vector_constants import FILTERS, QRS, QUALITY, strip_constants
from ml.runtime.kinds import MEAN_BEAT_KIND, NETWORK_KIND, PREPARATIONS, newest_preparation
from ml.runtime.preparation import json_form, require_preparation

RUNTIME = Path(__file__).parents[4] / "ml" / "runtime"
# These decide which captures are read at all; they shape no vector.
LIMITS_OF_INPUT = {
    *("MIN_FS_HZ", "MAX_FS_HZ", "MIN_STRIP_S"),
    *("MAX_AMPLITUDE", "MIN_AMPLITUDE", "FLAT_SHARE_OF_OFFSET"),
}


KNOWN = {1: lambda: {"BAND_HZ": (1.0, 2.0), "ORDER": 2}, 3: lambda: {}}


class TestRequirePreparation:
    def test_the_stated_constants_of_a_known_version_pass(self):
        require_preparation(1, {"BAND_HZ": [1.0, 2.0], "ORDER": 2}, KNOWN)

    def test_an_unknown_version_is_refused_with_the_known_ones(self):
        with pytest.raises(ValueError, match=r"one that this code has \(1, 3\), found 2"):
            require_preparation(2, {}, KNOWN)

    @pytest.mark.parametrize(
        ("constants", "message"),
        [
            (
                {"BAND_HZ": [1.0, 2.5], "ORDER": 2},
                r"in BAND_HZ \[1\.0, 2\.5\] \(code: \[1\.0, 2\.0\]\)$",
            ),
            ({"BAND_HZ": [1.0, 2.0]}, r"differs in ORDER None \(code: 2\)$"),
            ({"BAND_HZ": [1.0, 2.0], "ORDER": 2, "GAIN": 1}, r"differs in GAIN 1 \(code: None\)$"),
        ],
    )
    def test_other_constants_are_refused_by_name(self, constants, message):
        with pytest.raises(ValueError, match=message):
            require_preparation(1, constants, KNOWN)


class TestKinds:
    @pytest.mark.parametrize("kind", [MEAN_BEAT_KIND, NETWORK_KIND])
    def test_a_new_bundle_names_the_newest_preparation(self, kind):
        fields = newest_preparation(kind)

        assert fields["preparation_version"] == max(PREPARATIONS[kind])
        assert fields["preparation_constants"]["BAND_HIGH_HZ"] == constants.BAND_HIGH_HZ
        assert ("CLIP_RMS" in fields["preparation_constants"]) == (kind == NETWORK_KIND)

    def test_constants_survive_their_json_form(self):
        assert json_form(json_form(strip_constants())) == json_form(strip_constants())


class TestVectorConstants:
    def test_every_constant_of_the_chain_is_named_or_a_limit_of_the_input(self):
        named = {name for name in vars(constants) if name.isupper()}

        assert {*FILTERS, *QRS, *QUALITY} | LIMITS_OF_INPUT == named


class TestLayers:
    def test_preparations_are_pure_and_know_no_network(self):
        found = {
            f"{path.relative_to(RUNTIME)} imports {node.module}"
            for path in (*RUNTIME.glob("ecg/*.py"), *RUNTIME.glob("ecg/signal/*.py"))
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith(
                ("onnxruntime", "ml.runtime.onnx_network", "ml.runtime.vector_network", "ml.runtime.encoder")
            )
        }

        assert found == set()
