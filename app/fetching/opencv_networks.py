"""SFace and YuNet, as OpenCV Zoo distributes them, for ONNX Runtime.

Their block-quantized files are 8-bit integers with a float32 scale for each block. ONNX Runtime refuses them,
and a processor gains nothing from them; written out as float32 they are the same networks.

Source: Zhong, Deng et al., SFace, IEEE TIP 2021; Wu, Peng and Yu, YuNet, Machine Intelligence Research 2023.
"""

from __future__ import annotations

from typing import Final

from app.fetching.onnx_graphs import Graph, fold_batch_norms, fold_constants, rewrite_activations

STRIDES: Final = (8, 16, 32)
_PARTS: Final = (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))


def embedding_network(content: bytes) -> bytes:
    """Convert SFace: `image` (n, 3, 112, 112), RGB 0–255 → `vector` (n, 128)."""
    graph = Graph.parse(content)
    fold_constants(graph)
    fold_batch_norms(graph)
    rewrite_activations(graph)
    graph.rename({"data": "image", "fc1": "vector"})
    return graph.to_bytes({"image": ("n", 3, 112, 112)}, {"vector": ("n", 128)})


def detection_network(content: bytes) -> bytes:
    """Convert YuNet: `image` (1, 3, height, width), BGR 0–255 → `cells` (1, n, 16).

    A row for every cell of the maps of stride 8, then 16 and 32, row by row: class, objectness, box (4) and
    landmarks (10). Its twelve outputs are put together here.
    """
    from onnx import helper

    graph = Graph.parse(content)
    fold_constants(graph)
    graph.rename({"input": "image"})
    for stride in STRIDES:
        parts = [f"{name}_{stride}" for name, _ in _PARTS]
        graph.nodes.append(helper.make_node("Concat", parts, [f"cells_{stride}"], axis=2))
    maps = [f"cells_{stride}" for stride in STRIDES]
    graph.nodes.append(helper.make_node("Concat", maps, ["cells"], axis=1))
    return graph.to_bytes({"image": (1, 3, "height", "width")}, {"cells": (1, "n", 16)})
