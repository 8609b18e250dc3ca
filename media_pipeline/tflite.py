"""Read the small convolutional networks of a TensorFlow Lite file and write them as ONNX.

The face detectors and the face mesh come inside a package as ``.tflite`` files. Their own runtime is
hundreds of megabytes; the networks themselves are a dozen kinds of layer. ``to_onnx`` covers exactly the
layers those files use and refuses any other by name, so that a changed file is noticed and never half read.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_FLOAT32, _FLOAT16, _INT32 = 0, 1, 2
_DTYPES: dict[int, np.dtype[Any]] = {_FLOAT32: np.dtype("<f4"), _FLOAT16: np.dtype("<f2"), _INT32: np.dtype("<i4")}
_OPERATORS = {
    0: "add",
    2: "concatenation",
    3: "conv_2d",
    4: "depthwise_conv_2d",
    6: "dequantize",
    17: "max_pool_2d",
    19: "relu",
    22: "reshape",
    23: "resize_bilinear",
    34: "pad",
    54: "prelu",
}
_PADDING_SAME = 0
_FUSED_NONE, _FUSED_RELU, _FUSED_RELU6 = 0, 1, 3
_OPSET = 17
_IR_VERSION = 9


class UnsupportedNetwork(ValueError):
    """The file holds a layer, a type or a shape that the reader does not know."""


@dataclass(frozen=True)
class _Table:
    """One table of a flat buffer: ``position`` is where it starts, fields are found through its vtable."""

    data: bytes
    position: int

    def _field(self, index: int) -> int | None:
        vtable = self.position - struct.unpack_from("<i", self.data, self.position)[0]
        size = struct.unpack_from("<H", self.data, vtable)[0]
        entry = 4 + 2 * index
        if entry >= size:
            return None
        offset = struct.unpack_from("<H", self.data, vtable + entry)[0]
        return self.position + offset if offset else None

    def integer(self, index: int, code: str = "<i", default: int = 0) -> int:
        at = self._field(index)
        return default if at is None else int(struct.unpack_from(code, self.data, at)[0])

    def _vector(self, index: int) -> tuple[int, int]:
        at = self._field(index)
        if at is None:
            return 0, 0
        start = at + struct.unpack_from("<I", self.data, at)[0]
        return start + 4, struct.unpack_from("<I", self.data, start)[0]

    def integers(self, index: int) -> list[int]:
        start, count = self._vector(index)
        return list(struct.unpack_from(f"<{count}i", self.data, start))

    def content(self, index: int) -> bytes:
        start, count = self._vector(index)
        return self.data[start : start + count]

    def table(self, index: int) -> _Table:
        at = self._field(index)
        if at is None:
            raise UnsupportedNetwork(f"field {index} is missing")
        return _Table(self.data, at + struct.unpack_from("<I", self.data, at)[0])

    def tables(self, index: int) -> list[_Table]:
        start, count = self._vector(index)
        places = [start + 4 * i for i in range(count)]
        return [_Table(self.data, at + struct.unpack_from("<I", self.data, at)[0]) for at in places]


@dataclass(frozen=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    value: NDArray[np.generic] | None


@dataclass
class _Writer:
    """Collects the nodes. Four-dimensional tensors are kept channels first; the file has channels last."""

    tensors: list[_Tensor]
    any_size: bool = False
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    folded: dict[int, NDArray[np.float32]] = field(default_factory=dict)

    def weights(self, index: int) -> NDArray[np.float32]:
        """The constant float values of a tensor, half precision widened."""
        if index in self.folded:
            return self.folded[index]
        value = self.tensors[index].value
        if value is None:
            raise UnsupportedNetwork(f"{self.tensors[index].name} is not a constant")
        return value.astype(np.float32)

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def emit(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def name(self, index: int) -> str:
        return f"t{index}"

    def activated(self, fused: int, output: str, write: Callable[[str], str]) -> None:
        """Write a layer, followed by the activation that the file has fused into it."""
        if fused == _FUSED_NONE:
            write(output)
        elif fused == _FUSED_RELU:
            self.emit("Relu", [write(output + "_linear")], output)
        elif fused == _FUSED_RELU6:
            six = [
                self.constant(output + "_low", np.zeros((), np.float32)),
                self.constant(output + "_high", np.full((), 6, np.float32)),
            ]
            self.emit("Clip", [write(output + "_linear"), *six], output)
        else:
            raise UnsupportedNetwork(f"fused activation {fused}")


def to_onnx(data: bytes, output_names: dict[str, str], *, any_size: bool = False) -> bytes:
    """Translate one TensorFlow Lite network.

    ``data`` is the file's content. ``output_names`` renames outputs (file's name → name to ask for); the
    order of the result's outputs is the dictionary's. The input is float32 ``[1, 3, height, width]``. ``any_size``: a
    network of convolutions alone is let loose on pictures of any height and width that its halvings leave whole.
    Raises ``UnsupportedNetwork`` for anything outside the known layers.
    """
    try:
        return _translate(data, output_names, any_size)
    except (struct.error, IndexError) as error:
        raise UnsupportedNetwork("the file is cut short or not a network") from error


def _translate(data: bytes, output_names: dict[str, str], any_size: bool) -> bytes:
    if data[4:8] != b"TFL3":
        raise UnsupportedNetwork("not a TensorFlow Lite file")
    model = _Table(data, struct.unpack_from("<I", data, 0)[0])
    kinds = [max(code.integer(0, "<b"), code.integer(3)) for code in model.tables(1)]
    buffers = model.tables(4)
    graph = model.tables(2)[0]
    tensors = [_read_tensor(table, buffers) for table in graph.tables(0)]
    writer = _Writer(tensors, any_size)
    for operator in graph.tables(3):
        kind = _OPERATORS.get(kinds[operator.integer(0, "<I")])
        if kind is None:
            raise UnsupportedNetwork(f"layer kind {kinds[operator.integer(0, '<I')]}")
        _LAYERS[kind](writer, operator.integers(1), operator.integers(2)[0], operator)

    (entry,) = graph.integers(1)
    _, height, width, channels = tensors[entry].shape
    found = {tensors[index].name: index for index in graph.integers(2)}
    missing = set(output_names) - set(found)
    if missing:
        raise UnsupportedNetwork(f"no output called {', '.join(sorted(missing))}")
    outputs = []
    for theirs, ours in output_names.items():
        writer.emit("Identity", [writer.name(found[theirs])], ours)
        outputs.append(helper.make_tensor_value_info(ours, TensorProto.FLOAT, None))
    size = ["height", "width"] if any_size else [height, width]
    inputs = [helper.make_tensor_value_info(writer.name(entry), TensorProto.FLOAT, [1, channels, *size])]
    onnx_graph = helper.make_graph(writer.nodes, "network", inputs, outputs, writer.constants)
    made = helper.make_model(onnx_graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    return bytes(made.SerializeToString())


def _read_tensor(table: _Table, buffers: list[_Table]) -> _Tensor:
    shape = tuple(table.integers(0))
    kind = table.integer(1, "<b")
    if kind not in _DTYPES:
        raise UnsupportedNetwork(f"tensor type {kind}")
    content = buffers[table.integer(2, "<I")].content(0)
    value = np.frombuffer(content, _DTYPES[kind]).reshape(shape) if content else None
    return _Tensor(table.content(3).decode("utf-8"), shape, value)


def _same_padding(shape: tuple[int, ...], kernel: tuple[int, int], strides: tuple[int, int]) -> list[int]:
    """Zeros before and after, height then width; an odd one goes after, as the file's makers have it."""
    before, after = [], []
    for size, extent, stride in zip(shape[1:3], kernel, strides, strict=True):
        needed = max((-(-size // stride) - 1) * stride + extent - size, 0)
        before.append(needed // 2)
        after.append(needed - needed // 2)
    return before + after


def _convolution(writer: _Writer, inputs: list[int], output: int, operator: _Table, *, depthwise: bool) -> None:
    options = operator.table(4)
    source, kernel_index, bias_index = inputs
    strides = (options.integer(2), options.integer(1))
    dilations = (options.integer(6 if depthwise else 5, default=1), options.integer(5 if depthwise else 4, default=1))
    if dilations != (1, 1):
        raise UnsupportedNetwork("a dilated convolution")
    kernel = writer.weights(kernel_index)
    kernel = kernel.transpose(3, 0, 1, 2) if depthwise else kernel.transpose(0, 3, 1, 2)
    extent = (kernel.shape[2], kernel.shape[3])
    same = options.integer(0, "<b") == _PADDING_SAME
    pads = _same_padding(writer.tensors[source].shape, extent, strides) if same else [0, 0, 0, 0]
    name = writer.name(output)
    weights = [
        writer.constant(name + "_kernel", kernel),
        writer.constant(name + "_bias", writer.weights(bias_index)),
    ]
    writer.activated(
        options.integer(4 if depthwise else 3, "<b"),
        name,
        lambda result: writer.emit(
            "Conv",
            [writer.name(source), *weights],
            result,
            strides=list(strides),
            pads=pads,
            group=kernel.shape[0] if depthwise else 1,
        ),
    )


def _conv_2d(writer: _Writer, inputs: list[int], output: int, operator: _Table) -> None:
    _convolution(writer, inputs, output, operator, depthwise=False)


def _depthwise_conv_2d(writer: _Writer, inputs: list[int], output: int, operator: _Table) -> None:
    if operator.table(4).integer(3) != 1:
        raise UnsupportedNetwork("a depthwise convolution with a multiplier")
    _convolution(writer, inputs, output, operator, depthwise=True)


def _add(writer: _Writer, inputs: list[int], output: int, operator: _Table) -> None:
    names = [writer.name(index) for index in inputs]
    fused = operator.table(4).integer(0, "<b")
    writer.activated(fused, writer.name(output), lambda result: writer.emit("Add", names, result))


def _concatenation(writer: _Writer, inputs: list[int], output: int, operator: _Table) -> None:
    axis = operator.table(4).integer(0)
    if len(writer.tensors[output].shape) == 4:
        axis = {0: 0, 1: 2, 2: 3, 3: 1}[axis % 4]
    writer.emit("Concat", [writer.name(index) for index in inputs], writer.name(output), axis=axis)


def _dequantize(writer: _Writer, inputs: list[int], output: int, operator: _Table) -> None:
    writer.folded[output] = writer.weights(inputs[0])


def _max_pool_2d(writer: _Writer, inputs: list[int], output: int, operator: _Table) -> None:
    options = operator.table(4)
    strides = (options.integer(2), options.integer(1))
    extent = (options.integer(4), options.integer(3))
    same = options.integer(0, "<b") == _PADDING_SAME
    pads = _same_padding(writer.tensors[inputs[0]].shape, extent, strides) if same else [0, 0, 0, 0]
    writer.emit(
        "MaxPool",
        [writer.name(inputs[0])],
        writer.name(output),
        kernel_shape=list(extent),
        strides=list(strides),
        pads=pads,
    )


def _relu(writer: _Writer, inputs: list[int], output: int, operator: _Table) -> None:
    writer.emit("Relu", [writer.name(inputs[0])], writer.name(output))


def _prelu(writer: _Writer, inputs: list[int], output: int, operator: _Table) -> None:
    """Written as ``slope * x + relu((1 - slope) * x)``: the runtime's own layer takes more than twice as long.

    Where a slope is greater than 1 what is added has the other sign.
    """
    slope = writer.weights(inputs[1]).reshape(-1, 1, 1)
    source, name = writer.name(inputs[0]), writer.name(output)
    sloped = writer.emit("Mul", [source, writer.constant(name + "_slope", slope)], name + "_sloped")
    rest = writer.emit("Mul", [source, writer.constant(name + "_rest", np.abs(1 - slope))], name + "_scaled")
    added = writer.emit("Relu", [rest], name + "_rising")
    if slope.max() > 1:
        signs = np.where(slope > 1, -1, 1).astype(np.float32)
        added = writer.emit("Mul", [added, writer.constant(name + "_signs", signs)], name + "_signed")
    writer.emit("Add", [sloped, added], name)


def _reshape(writer: _Writer, inputs: list[int], output: int, operator: _Table) -> None:
    source = writer.name(inputs[0])
    name = writer.name(output)
    if len(writer.tensors[inputs[0]].shape) == 4:
        source = writer.emit("Transpose", [source], name + "_last", perm=[0, 2, 3, 1])
    shape = np.array(writer.tensors[output].shape, np.int64)
    if len(shape) == 4:
        raise UnsupportedNetwork("a reshape into four dimensions")
    if writer.any_size and len(shape) == 3:
        shape[1] = -1  # as many rows as the picture has places
    writer.emit("Reshape", [source, writer.constant(name + "_shape", shape)], name)


def _resize_bilinear(writer: _Writer, inputs: list[int], output: int, operator: _Table) -> None:
    options = operator.table(4)
    half_pixel = "half_pixel" if options.integer(3, "<b") else "asymmetric"
    mode = "align_corners" if options.integer(2, "<b") else half_pixel
    batch, height, width, channels = writer.tensors[output].shape
    name = writer.name(output)
    size = writer.constant(name + "_size", np.array([batch, channels, height, width], np.int64))
    writer.emit(
        "Resize", [writer.name(inputs[0]), "", "", size], name, mode="linear", coordinate_transformation_mode=mode
    )


def _pad(writer: _Writer, inputs: list[int], output: int, operator: _Table) -> None:
    value = writer.tensors[inputs[1]].value
    if value is None or value.shape != (4, 2):
        raise UnsupportedNetwork("padding that is not a constant of four dimensions")
    channels_first = value[[0, 3, 1, 2]].astype(np.int64)
    name = writer.name(output)
    amounts = writer.constant(name + "_amounts", np.concatenate([channels_first[:, 0], channels_first[:, 1]]))
    writer.emit("Pad", [writer.name(inputs[0]), amounts], name)


_LAYERS: dict[str, Callable[[_Writer, list[int], int, _Table], None]] = {
    "add": _add,
    "concatenation": _concatenation,
    "conv_2d": _conv_2d,
    "depthwise_conv_2d": _depthwise_conv_2d,
    "dequantize": _dequantize,
    "max_pool_2d": _max_pool_2d,
    "prelu": _prelu,
    "relu": _relu,
    "reshape": _reshape,
    "resize_bilinear": _resize_bilinear,
    "pad": _pad,
}
