"""NumPy source of an expression: named nodes and numbers, and values that are computed once under a name."""

from collections.abc import Sequence
from functools import singledispatch

import sympy
from msgspec.structs import replace as changed

from symgrad.codegen.access import Item, Place, Span, spread
from symgrad.codegen.integers_text import number_source
from symgrad.codegen.model import holds_exactly
from symgrad.codegen.state import NotVectorisable, Scope, State, unreachable
from symgrad.codegen.text import ATOM, Code
from symgrad.errors import InternalError, QuestionError
from symgrad.tensor.build import number_of
from symgrad.tensor.integers import Int, difference, symbols_of
from symgrad.tensor.nodes import (
    Apply,
    Const,
    Count,
    Expr,
    Eye,
    Full,
    Literal,
    Num,
    Opaque,
    Pow,
    Var,
)


@singledispatch
def emit(node: Expr, state: State, scope: Scope) -> Code:
    """The source of a node's value in a scope.

    Raises:
        NotVectorisable: NumPy cannot compute it along a batch index.
    """
    raise unreachable(type(node).__name__)


def value(node: Expr, state: State, scope: Scope) -> Code:
    """The source of a node's value; a node that is used more than once is computed once, under a name."""
    known = state.recalled(node, scope)
    if known is not None:
        return _in_order(known, scope)
    if any(x.symbol in symbols_of(n) for x in scope.batch for n in node.shape if not isinstance(n, int)):
        raise NotVectorisable  # The values for different indices have different shapes.
    code = emit(node, state, scope)
    if node in state.shared and code.level < ATOM + ("(" in code.text):
        code = state.bind(code, _telling(node, scope.label))
        state.remember(node, scope, code)
    return code


def _in_order(code: Code, scope: Scope) -> Code:
    """A named value with its batch axes as the scope nests them."""
    wanted = tuple(s for s in scope.symbols if s in code.batch)
    if wanted == code.batch:
        return code
    axes = (*(code.batch.index(s) for s in wanted), *range(len(wanted), code.axes))
    return Code(f"{code.text}.transpose({', '.join(map(str, axes))})", ATOM, wanted, code.order, code.boolean)


def _telling(node: Expr, label: str) -> str:
    """A name for an intermediate value: tanh_c, h_squared, else after what it is a part of."""
    if isinstance(node, Apply) and len(node.args) == 1 and isinstance(node.args[0], Var):
        return f"{node.fn}_{node.args[0].name}"
    if isinstance(node, Pow) and isinstance(node.base, Var) and number_of(node.exponent) == 2:
        return f"{node.base.name}_squared"
    return f"{label}_part"


def tensor(node: Expr, state: State, scope: Scope) -> Code:
    """The same as an array of numbers with all of the node's axes, where broadcasting may not help."""
    return filled(value(node, state, scope), node.shape, state, scope)


def filled(code: Code, shape: tuple[Int, ...], state: State, scope: Scope) -> Code:
    """The code as an array of numbers of the given shape after its batch axes."""
    code = numeric(code)
    if code.order == len(shape):
        return code
    sizes = (*lengths(code.batch, scope), *shape)
    if code.axes == 0:
        kind = {"0": "zeros", "1": "ones"}.get(code.text)
        text = f"np.{kind}({state.shape(sizes)})" if kind else f"np.full({state.shape(sizes)}, {code.text})"
        return Code(text, ATOM, (), len(shape))
    wide = spread(code, code.batch, len(shape))
    return Code(f"np.broadcast_to({wide.text}, {state.shape(sizes)})", ATOM, code.batch, len(shape))


def lengths(batch: Sequence[sympy.Symbol], scope: Scope) -> tuple[Int, ...]:
    """The lengths of batch axes."""
    ranges = {x.symbol: x for x in scope.batch}
    if any(s in batch for x in scope.batch for e in (x.lo, x.hi) if not isinstance(e, int) for s in e.free_symbols):
        raise NotVectorisable
    return tuple(ranges[s].length for s in batch)


def numeric(code: Code) -> Code:
    """Truth values as 1 and 0."""
    return Code(f"np.where({code.text}, 1.0, 0.0)", ATOM, code.batch, code.order) if code.boolean else code


def aligned(codes: Sequence[Code], scope: Scope) -> tuple[list[Code], tuple[sympy.Symbol, ...], int]:
    """The codes ready for an operation entry by entry, with the batch indices and the order of its value."""
    batch = tuple(s for s in scope.symbols if any(s in c.batch for c in codes))
    order = max((c.order for c in codes), default=0)
    return [spread(c, batch, order) for c in codes], batch, order


@emit.register
def _(node: Var, state: State, scope: Scope) -> Code:
    return indexed_items(node, [], node.order, state, scope)


def indexed_items(node: Var, items: Sequence[Item], order: int, state: State, scope: Scope) -> Code:
    """The entries of a named node, picked together with its row."""
    name, taken = located(node, items, state)
    made = state.indexer(scope).take(name, taken, order - sum(isinstance(x, Span) for x in taken))
    return changed(made, order=order)


def located(node: Var, items: Sequence[Item], state: State) -> tuple[str, list[Item]]:
    """The array that a named node lies in, with its place along the index axes and what is taken along its own."""
    for i in state.stores.arguments:
        if holds_exactly(i, node):
            return i.argument, [*items]
    if node.name not in state.stores.arrays:
        raise InternalError(f"{node.name} is read, but it is neither defined nor an argument")
    store = state.stores.arrays[node.name]
    places = [
        Place(difference(sub, axis.base), axis.length)
        for sub, axis in zip(node.subs, store.axes, strict=True)
        if axis is not None
    ]
    return store.name, [*places, *store.taken(node.shape, items)]


@emit.register
def _(node: Opaque, state: State, scope: Scope) -> Code:
    raise QuestionError(f"the value of {node.name} is not given, only its partial derivatives")


@emit.register
def _(node: Num, state: State, scope: Scope) -> Code:
    return Code(*number_source(node.value))


@emit.register
def _(node: Full, state: State, scope: Scope) -> Code:
    return Code(*number_source(node.value))


@emit.register
def _(node: Const, state: State, scope: Scope) -> Code:
    return Code({"pi": "np.pi", "e": "np.e", "inf": "np.inf"}[node.name])


@emit.register
def _(node: Eye, state: State, scope: Scope) -> Code:
    return Code(f"np.eye({state.integer(node.size)})", order=2)


@emit.register
def _(node: Literal, state: State, scope: Scope) -> Code:
    texts = [number_source(v)[0] for v in node.values]
    if not node.shape:
        return Code(*number_source(node.values[0]))
    for size in reversed(node.shape):
        assert isinstance(size, int)
        texts = [f"[{', '.join(texts[k : k + size])}]" for k in range(0, len(texts), size)]
    return Code(f"np.array({texts[0]}, dtype=float)", order=node.order)


@emit.register
def _(node: Count, state: State, scope: Scope) -> Code:
    symbols = tuple(s for s in scope.symbols if s in node.value.free_symbols)
    if not symbols:
        return Code(*state.number(node.value))
    return Code(*state.index_array(node.value, symbols, scope), symbols)
