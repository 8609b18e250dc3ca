"""Write the face descriptor network SFace as ONNX that onnxruntime runs, and runs fast.

The file that a package carries is OpenCV Zoo's of December 2021 (Apache-2.0; Yaoyao Zhong and others), its
weights kept as bytes with a scale for each block. As it is, the runtime takes its weights for inputs and refuses it.
The network is one chain: convolutions, each with a normalisation and a PRelu, and one fully connected layer at the end.
The weights are unfolded, the normalisations folded into the layers before them, and each PRelu is written as
``slope * x + relu((1 - slope) * x)``: the same numbers in less than half the time, for the runtime does either half
in one go. Where a slope is greater than 1 the channel is carried on with its sign turned, and the next layer turns it
back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Values = NDArray[np.float64]

FACE_SIDE = 112
LENGTH = 128
_MEAN, _SCALE = 127.5, 128.0
_CONVOLUTIONS = 27
_CHAIN = ["Sub", "Mul", *["Conv", "BatchNormalization", "PRelu"] * _CONVOLUTIONS]
_CHAIN += ["BatchNormalization", "Flatten", "Gemm", "BatchNormalization"]
_UNFOLDED = ("DequantizeLinear", "Reshape", "Constant", "Dropout")
_OPSET = 17
_IR_VERSION = 9


class UnreadableNetwork(ValueError):
    """The file is not the one whose layout is known here."""


def to_onnx(data: bytes) -> bytes:
    """Make the network: input ``face`` float32 ``[n, 3, 112, 112]`` in RGB 0..255, output ``descriptor`` ``[n, 128]``.

    Raises ``UnreadableNetwork`` when the file does not hold exactly the expected layers.
    """
    try:
        graph = onnx.load_model_from_string(data).graph
    except Exception as error:  # of a library that only onnx asks for
        raise UnreadableNetwork("not an ONNX file") from error
    chain = [node for node in graph.node if node.op_type not in _UNFOLDED]
    if [node.op_type for node in chain] != _CHAIN:
        raise UnreadableNetwork(f"another chain of layers: {len(chain)} of them")
    try:
        return _Writer(_unfold(graph)).write(chain)
    except (KeyError, ValueError, IndexError) as error:
        raise UnreadableNetwork(f"a layer is not as expected: {error}") from error


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def _unfold(graph: onnx.GraphProto) -> dict[str, Values]:
    """Every weight as numbers: what is kept as bytes is multiplied by its block's scale."""
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    values = dict(stored)
    for node in graph.node:
        if node.op_type == "DequantizeLinear":
            whole, scale, zero = (values[name] for name in node.input)
            attributes = _attributes(node)
            axis, block = attributes["axis"], attributes["block_size"]

            def spread(each: Values, axis: int = axis, block: int = block, whole: Values = whole) -> Values:
                repeated = np.repeat(each.astype(np.float64), block, axis=axis)
                return np.take(repeated, range(whole.shape[axis]), axis=axis)

            values[node.output[0]] = (whole.astype(np.float64) - spread(zero)) * spread(scale)
        elif node.op_type == "Reshape":
            values[node.output[0]] = values[node.input[0]].reshape(values[node.input[1]].astype(int))
    return values


@dataclass
class _Writer:
    """The nodes while they are written, input first. ``values`` are the weights by name."""

    values: dict[str, Values]
    signs: Values = field(default_factory=lambda: np.ones(3))
    """Of each channel so far: -1 where it is carried on with its sign turned."""
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def write(self, chain: Sequence[onnx.NodeProto]) -> bytes:
        top = self._emit("Sub", ["face", self._constant(np.array([_MEAN]))])
        top = self._emit("Mul", [top, self._constant(np.array([1 / _SCALE]))])
        layers = chain[2 : 2 + 3 * _CONVOLUTIONS]
        for convolution, norm, slope in zip(layers[::3], layers[1::3], layers[2::3], strict=True):
            top = self._convolve(top, convolution, norm, slope)
        self._connect(self._emit("Flatten", [top]), *(chain[-4], chain[-2], chain[-1]))
        graph = helper.make_graph(
            self.nodes,
            "sface",
            [helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", 3, FACE_SIDE, FACE_SIDE])],
            [helper.make_tensor_value_info("descriptor", TensorProto.FLOAT, ["n", LENGTH])],
            self.constants,
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
        onnx.checker.check_model(made)
        return bytes(made.SerializeToString())

    def _convolve(self, source: str, convolution: onnx.NodeProto, norm: onnx.NodeProto, slope: onnx.NodeProto) -> str:
        attributes = _attributes(convolution)
        scale, shift = self._normalisation(norm)
        kernel = self.values[convolution.input[1]] * scale[:, None, None, None]
        # A layer with groups looks at one channel each.
        kernel = kernel * (
            self.signs.reshape(1, -1, 1, 1) if attributes["group"] == 1 else self.signs.reshape(-1, 1, 1, 1)
        )
        top = self._emit(
            "Conv",
            [source, self._constant(kernel), self._constant(shift)],
            strides=attributes["strides"],
            pads=attributes["pads"],
            group=attributes["group"],
        )
        slopes = self.values[slope.input[1]].reshape(-1, 1, 1)
        signs = np.where(slopes > 1, -1.0, 1.0)
        self.signs = signs.ravel()
        rising = self._emit("Relu", [self._emit("Mul", [top, self._constant(abs(1 - slopes))])])
        return self._emit("Add", [self._emit("Mul", [top, self._constant(signs * slopes)]), rising])

    def _connect(self, source: str, before: onnx.NodeProto, layer: onnx.NodeProto, after: onnx.NodeProto) -> None:
        """The fully connected layer with the normalisations before and after it."""
        weights, bias = self.values[layer.input[1]], self.values[layer.input[2]]
        scale, shift = self._normalisation(before)
        scale = scale * self.signs
        by_channel = weights.reshape(LENGTH, len(scale), -1)
        bias = bias + np.einsum("ocs,c->o", by_channel, shift)
        weights = (by_channel * scale[None, :, None]).reshape(LENGTH, -1)
        scale, shift = self._normalisation(after)
        inputs = [source, self._constant(weights * scale[:, None]), self._constant(bias * scale + shift)]
        self.nodes.append(helper.make_node("Gemm", inputs, ["descriptor"], transB=1))

    def _normalisation(self, node: onnx.NodeProto) -> tuple[Values, Values]:
        """What it multiplies by and what it then adds."""
        gamma, beta, mean, variance = (self.values[name].astype(np.float64) for name in node.input[1:])
        scale = gamma / np.sqrt(variance + _attributes(node)["epsilon"])
        return scale, beta - mean * scale

    def _constant(self, value: Values) -> str:
        name = f"weights{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def _emit(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        output = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output
