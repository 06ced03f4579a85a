"""The table of whole-tensor functions: constructor, value, index notation, source and print, one row each.

A row without values is a way of writing other nodes: ``dot`` is a matrix product.
"""

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct

from symgrad.tensor import build
from symgrad.tensor.functions import (
    arrays,
    construct,
    entries,
    layer_arrays,
    layer_entries,
    layer_sources,
    layers,
)
from symgrad.tensor.nodes import Call, Expr
from symgrad.tensor.nodes.algebra import Settings
from symgrad.tensor.stable import Array


class Values(Struct, frozen=True):
    """How a ``Call`` node is evaluated, lowered and written out.

    Attributes:
        compute: (operands with one leading batch axis, settings, shape without it) to an array.
        code: NumPy source for single arrays: ``{0}``, ``{1}`` are operands, ``{operands}`` all of them,
            ``{axis}`` a setting, ``{shape}`` the tuple of the value's sizes and ``{last}`` the last of them.
        entries: (node, indices, entry, fresh) to the scalar entry; None where index notation does not help.
        helpers: Sources of the functions that ``code`` needs beside NumPy, each after those that it calls.
    """

    compute: Callable[[Sequence[Array], Settings, tuple[int, ...]], Array]
    code: str
    entries: Callable[[Call, entries.At, entries.EntryOf, entries.Fresh], Expr] | None
    helpers: tuple[str, ...] = ()


class TensorFunction(Struct, frozen=True):
    """One whole-tensor function: its constructor, its LaTeX name, and its values where it is a node."""

    name: str
    construct: Callable[..., Expr]
    latex: str
    values: Values | None = None


def _named(name: str) -> str:
    return rf"\operatorname{{{name}}}"


_SOURCES = arrays.SOURCES


def _layer(construct: Callable[..., Expr]) -> TensorFunction:
    name = construct.__name__
    axes = layers.AXES[name]
    kind = name[:-2]
    values = {
        "conv": (layer_arrays.convolution, layer_sources.convolution(axes), layer_entries.convolution,
                 layer_sources.CONV),
        "conv_transpose": (layer_arrays.transposed, layer_sources.transposed(axes), layer_entries.transposed,
                           layer_sources.CONV_TRANSPOSE),
        "maxpool": (layer_arrays.maximum, layer_sources.pooling(axes, "max"), layer_entries.maximum,
                    layer_sources.WINDOWS),
        "avgpool": (layer_arrays.average, layer_sources.pooling(axes, "mean"), layer_entries.average,
                    layer_sources.WINDOWS),
        "maxunpool": (layer_arrays.unpooled, layer_sources.unpooling(axes), layer_entries.unpooled,
                      layer_sources.MAX_UNPOOL),
    }[kind]  # fmt: skip
    return TensorFunction(name, construct, _named(name.replace("_", "")), Values(*values))


_ROWS = (
    TensorFunction("softmax", construct.softmax, _named("softmax"), Values(
        arrays.softmax, "_softmax({0}, {axis})", entries.softmax, (_SOURCES["softmax"],))),
    TensorFunction("logsumexp", construct.logsumexp, _named("logsumexp"), Values(
        arrays.logsumexp, "_logsumexp({0}, {axis})", entries.logsumexp, (_SOURCES["logsumexp"],))),
    TensorFunction("cross_entropy", construct.cross_entropy, _named("CE"), Values(
        arrays.cross_entropy, "_cross_entropy({0}, {1})", entries.cross_entropy, (_SOURCES["cross_entropy"],))),
    TensorFunction("norm", construct.norm, r"\lVert", Values(
        arrays.norm, "np.sqrt(np.sum(np.square({0})))", entries.norm)),
    TensorFunction("spectral_norm", construct.spectral_norm, r"\lVert", Values(
        arrays.spectral_norm, "np.linalg.norm({0}, 2)", None)),
    TensorFunction("column_norm", construct.column_norm, r"\lVert", Values(
        arrays.column_norm, "np.linalg.norm({0}, 1)", entries.column_norm)),
    TensorFunction("row_norm", construct.row_norm, r"\lVert", Values(
        arrays.row_norm, "np.linalg.norm({0}, np.inf)", entries.row_norm)),
    TensorFunction("trace", construct.trace, _named("tr"), Values(
        arrays.trace, "np.trace({0})", entries.trace)),
    TensorFunction("det", construct.det, r"\det", Values(arrays.det, "np.linalg.det({0})", None)),
    TensorFunction("inv", construct.inv, "^{-1}", Values(arrays.inv, "np.linalg.inv({0})", None)),
    TensorFunction("diag", build.diag, _named("diag"), Values(arrays.diag, "np.diag({0})", entries.diag)),
    TensorFunction("diagpart", construct.diagpart, _named("diag"), Values(
        arrays.diagpart, "np.diagonal({0})", entries.diagpart)),
    TensorFunction("kron", construct.kron, r"\otimes", Values(
        arrays.kron, "np.kron({0}, {1})", entries.kron)),
    TensorFunction("reshape", construct.reshape, _named("reshape"), Values(
        arrays.reshape, "np.reshape({0}, {shape})", entries.reshape)),
    TensorFunction("one_hot", construct.one_hot, _named("onehot"), Values(
        arrays.one_hot, "_one_hot({0}, {last})", entries.one_hot, (_SOURCES["one_hot"],))),
    _layer(layers.conv1d), _layer(layers.conv2d), _layer(layers.conv_transpose1d), _layer(layers.conv_transpose2d),
    _layer(layers.maxpool1d), _layer(layers.maxpool2d), _layer(layers.avgpool1d), _layer(layers.avgpool2d),
    _layer(layers.maxunpool1d), _layer(layers.maxunpool2d),
    TensorFunction("vec", construct.vec, _named("vec")),
    TensorFunction("size", construct.size, _named("size")),
    TensorFunction("outer", construct.outer, ""),
    TensorFunction("dot", construct.dot, ""),
    TensorFunction("sum", construct.sum_of, r"\sum"),
    TensorFunction("prod", construct.prod_of, r"\prod"),
    TensorFunction("mean", construct.mean_of, _named("mean")),
    TensorFunction("max", construct.max_of, r"\max"),
    TensorFunction("min", construct.min_of, r"\min"),
    TensorFunction("argmax", construct.argmax, _named("argmax")),
    TensorFunction("transpose", construct.transpose, r"^{\top}"),
)  # fmt: skip

FUNCTIONS: dict[str, TensorFunction] = {row.name: row for row in _ROWS}


def values_of(node: Call) -> Values:
    """The row by which a Call is evaluated, lowered and written out."""
    row = FUNCTIONS[node.fn].values
    assert row is not None, node.fn
    return row


def evaluate_call(node: Call, operands: Sequence[Array], settings: Settings, shape: tuple[int, ...]) -> Array:
    """The value of a Call from operands with one leading batch axis (lengths may be 1) and its settings in numbers."""
    batch = max(len(x) for x in operands)
    filled = [np.broadcast_to(x, (batch, *x.shape[1:])) for x in operands]
    return values_of(node).compute(filled, settings, shape)
