"""Write dlib's face descriptor network as ONNX from the weights file that a package installs.

The file is dlib's own serialisation of its ResNet (29 convolutions, each followed by an affine layer, and one
fully connected layer; public domain). The layout is fixed, so only the weights are read: each affine
layer and the input's normalisation are folded into the convolution before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Weights = NDArray[np.float32]

_CONVOLUTION, _AFFINE, _FULLY_CONNECTED = b"\x01\x05con_4", b"\x01\x07affine_", b"\x01\x04fc_2"
_TENSOR_VERSION = 2
_FACE_SIDE = 150
_DESCRIPTOR_LENGTH = 128
_MEAN_RED_GREEN_BLUE = np.array([122.782, 117.001, 104.298], np.float64)
_SCALE = 256.0
# (filters, residual units) of each level, from the input on; a level after the first opens with one that halves.
_LEVELS = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))
_CONVOLUTIONS = 1 + 2 * sum(units for _, units in _LEVELS)
_OPSET = 17
_IR_VERSION = 9


class UnreadableWeights(ValueError):
    """The weights file is not the one whose layout is known here."""


def to_onnx(data: bytes) -> bytes:
    """Make the network: input ``face`` float32 ``[n, 3, 150, 150]`` in RGB 0..255, output ``descriptor`` ``[n, 128]``.

    Raises ``UnreadableWeights`` when the file does not hold exactly the expected layers.
    """
    convolutions = _tensors_after(data, _CONVOLUTION)
    affines = _tensors_after(data, _AFFINE)
    if len(convolutions) != _CONVOLUTIONS or len(affines) != _CONVOLUTIONS:
        raise UnreadableWeights(f"{len(convolutions)} convolutions and {len(affines)} affine layers")
    connected = _fully_connected(data)
    graph = _Graph(iter(zip(convolutions, affines, strict=True)))
    return graph.build(connected)


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """dlib's integer: one byte of length and sign, then that many bytes, little end first."""
    length = data[at] & 0x0F
    value = int.from_bytes(data[at + 1 : at + 1 + length], "little")
    return (-value if data[at] & 0x80 else value), at + 1 + length


def _tensor(data: bytes, at: int) -> Weights:
    version, at = _integer(data, at)
    if version != _TENSOR_VERSION:
        raise UnreadableWeights(f"tensor version {version}")
    size = 1
    for _ in range(4):
        extent, at = _integer(data, at)
        size *= extent
    if size <= 0 or at + 4 * size > len(data):
        raise UnreadableWeights("a tensor reaches beyond the file")
    return np.frombuffer(data, "<f4", size, at)


def _tensors_after(data: bytes, mark: bytes) -> list[Weights]:
    found, at = [], data.find(mark)
    while at >= 0:
        values = _tensor(data, at + len(mark))
        found.append(values)
        at = data.find(mark, at + len(mark) + values.nbytes)
    return found


def _fully_connected(data: bytes) -> Weights:
    at = data.find(_FULLY_CONNECTED)
    if at < 0:
        raise UnreadableWeights("no fully connected layer")
    outputs, at = _integer(data, at + len(_FULLY_CONNECTED))
    inputs, at = _integer(data, at)
    if outputs != _DESCRIPTOR_LENGTH:
        raise UnreadableWeights(f"{outputs} outputs")
    return _tensor(data, at).reshape(inputs, outputs)


@dataclass
class _Graph:
    """The network's nodes while they are written, input first. ``layers`` yields (convolution, affine) in order."""

    layers: Iterator[tuple[Weights, Weights]]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def build(self, connected: Weights) -> bytes:
        top = self._convolve("face", 3, _LEVELS[0][0], extent=7, stride=2, normalise=True)
        top = self._emit("Relu", [top])
        top = self._emit("MaxPool", [top], kernel_shape=[3, 3], strides=[2, 2])
        channels, side = _LEVELS[0][0], 35
        for level, (filters, units) in enumerate(_LEVELS):
            for unit in range(units):
                if level > 0 and unit == 0:
                    top, side = self._halving_unit(top, channels, filters, side)
                    channels = filters
                else:
                    top = self._unit(top, channels)
        top = self._emit("GlobalAveragePool", [top])
        top = self._emit("Flatten", [top])
        weights = self._constant("connected", connected)
        self.nodes.append(helper.make_node("MatMul", [top, weights], ["descriptor"]))
        graph = helper.make_graph(
            self.nodes,
            "descriptor",
            [helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", 3, _FACE_SIDE, _FACE_SIDE])],
            [helper.make_tensor_value_info("descriptor", TensorProto.FLOAT, ["n", _DESCRIPTOR_LENGTH])],
            self.constants,
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
        onnx.checker.check_model(made)
        return bytes(made.SerializeToString())

    def _unit(self, source: str, channels: int) -> str:
        """Two convolutions, and the source added to what they give."""
        top = self._emit("Relu", [self._convolve(source, channels, channels)])
        top = self._convolve(top, channels, channels)
        return self._emit("Relu", [self._emit("Add", [top, source])])

    def _halving_unit(self, source: str, channels: int, filters: int, side: int) -> tuple[str, int]:
        """The same at half the size. The two sides differ in shape; dlib adds them as if the smaller had zeros."""
        top = self._emit("Relu", [self._convolve(source, channels, filters, stride=2)])
        top = self._convolve(top, filters, filters)
        shortcut = self._emit("AveragePool", [source], kernel_shape=[2, 2], strides=[2, 2])
        convolved, pooled = (side - 3) // 2 + 1, side // 2
        larger = max(convolved, pooled)
        top = self._grow(top, 0, larger - convolved)
        shortcut = self._grow(shortcut, filters - channels, larger - pooled)
        return self._emit("Relu", [self._emit("Add", [top, shortcut])]), larger

    def _grow(self, source: str, channels: int, side: int) -> str:
        if not channels and not side:
            return source
        amounts = self._constant(f"grow{len(self.nodes)}", np.array([0, 0, 0, 0, 0, channels, side, side], np.int64))
        return self._emit("Pad", [source, amounts])

    def _convolve(
        self, source: str, channels: int, filters: int, *, extent: int = 3, stride: int = 1, normalise: bool = False
    ) -> str:
        convolution, affine = next(self.layers)
        shape = (filters, channels, extent, extent)
        count = filters * channels * extent * extent
        if convolution.size != count + filters or affine.size != 2 * filters:
            raise UnreadableWeights(
                f"a convolution of {convolution.size} weights where {count + filters} were expected"
            )
        kernel, bias = convolution[:count].reshape(shape).astype(np.float64), convolution[count:].astype(np.float64)
        if normalise:
            kernel = kernel / _SCALE
            bias = bias - np.einsum("fchw,c->f", kernel, _MEAN_RED_GREEN_BLUE)
        gamma, beta = affine[:filters].astype(np.float64), affine[filters:].astype(np.float64)
        name = f"convolution{len(self.nodes)}"
        weights = [
            self._constant(name + "_kernel", (kernel * gamma[:, None, None, None]).astype(np.float32)),
            self._constant(name + "_bias", (bias * gamma + beta).astype(np.float32)),
        ]
        # dlib pads a convolution only when its stride is one.
        padding = extent // 2 if stride == 1 else 0
        return self._emit("Conv", [source, *weights], strides=[stride, stride], pads=[padding] * 4)

    def _constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _emit(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        output = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output
