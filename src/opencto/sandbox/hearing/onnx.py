"""The constants inside an ONNX file: as much of its format as there is around a tensor, so that nothing needs to be installed."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np

from opencto.sandbox.hearing.mel import Floats

# The numbers of the fields in onnx.proto.
_MODEL_GRAPH = 7
_GRAPH_NODE = 1
_NODE_OUTPUT, _NODE_ATTRIBUTE = 2, 5
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH = 5, 6
_TENSOR_DIMENSION, _TENSOR_TYPE, _TENSOR_RAW = 1, 2, 9
_IS_FLOAT = 1

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5


def constants(path: Path) -> dict[str, Floats]:
    """Each 32-bit float tensor of the graph and of the branches in it. Raises OSError, and ValueError for another format."""
    try:
        found: dict[str, Floats] = {}
        for graph in _messages(memoryview(path.read_bytes()), _MODEL_GRAPH):
            found |= dict(_of_graph(graph))
    except (IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no ONNX file") from error
    return found


def _of_graph(graph: memoryview) -> Iterator[tuple[str, Floats]]:
    for node in _messages(graph, _GRAPH_NODE):
        name = next((bytes(output).decode() for output in _messages(node, _NODE_OUTPUT)), "")
        for attribute in _messages(node, _NODE_ATTRIBUTE):
            for branch in _messages(attribute, _ATTRIBUTE_GRAPH):
                yield from _of_graph(branch)
            for tensor in _messages(attribute, _ATTRIBUTE_TENSOR):
                fields = list(_fields(tensor))
                if (_TENSOR_TYPE, _IS_FLOAT) in fields:
                    shape = [cast("int", value) for number, value in fields if number == _TENSOR_DIMENSION]
                    raw = b"".join(bytes(part) for part in _messages(tensor, _TENSOR_RAW))
                    yield name, np.frombuffer(raw, dtype="<f4").reshape(shape)


def _messages(data: memoryview, wanted: int) -> Iterator[memoryview]:
    return (value for number, value in _fields(data) if number == wanted and isinstance(value, memoryview))


def _fields(data: memoryview) -> Iterator[tuple[int, "int | memoryview"]]:
    """Protocol buffers: the number and the value of each field."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _LENGTH:
            length, at = _varint(data, at)
        elif kind in {_EIGHT_BYTES, _FOUR_BYTES}:
            length = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"unknown kind of field: {kind}")
        yield number, data[at : at + length]
        at += length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Its value, and where the next one begins."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
