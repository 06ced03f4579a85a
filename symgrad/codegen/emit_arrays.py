"""NumPy source of what works on whole arrays: products, reductions, entries, assembly."""

from collections.abc import Sequence

import sympy
from msgspec.structs import replace as changed

from symgrad.codegen.access import Data, Item, Place, Span, spread
from symgrad.codegen.contract import Factor, contract
from symgrad.codegen.emit import emit, indexed_items, lengths, numeric, tensor, value
from symgrad.codegen.state import NotVectorisable, Scope, State
from symgrad.codegen.text import ATOM, PRODUCT, SUM, Code
from symgrad.codegen.windows import windowed
from symgrad.tensor import nodes
from symgrad.tensor.functions import values_of
from symgrad.tensor.integers import Int, difference, integer, symbols_of
from symgrad.tensor.nodes import (
    At,
    Build,
    Call,
    Chain,
    Concat,
    Count,
    Cut,
    Entry,
    Expr,
    Permute,
    Pick,
    Reduce,
    Stack,
    Transpose,
    Var,
)
from symgrad.tensor.reindex import reindex

CROSS_ENTROPIES = '''\
def _cross_entropies(y, p):
    """-sum(y * log(p)) for every row, where y = 0 contributes nothing."""
    return -np.sum(np.where(y == 0, 0.0, y * np.log(np.where(y == 0, 1.0, p))), axis=-1)
'''


@emit.register
def _(node: Permute, state: State, scope: Scope) -> Code:
    code = tensor(node.arg, state, scope)
    n = len(code.batch)
    axes = ", ".join(str(a) for a in (*range(n), *(n + a for a in node.axes)))
    return Code(f"{code.at(ATOM)}.transpose({axes})", ATOM, code.batch, node.order)


@emit.register
def _(node: Reduce, state: State, scope: Scope) -> Code:
    code = tensor(node.arg, state, scope)
    n = len(code.batch)
    whole = len(node.axes) == node.arg.order
    if whole and not n:
        axis = ""
    else:
        axes = [n + a for a in node.axes]
        axis = f"axis={axes[0]}" if len(axes) == 1 else f"axis={tuple(axes)}"
    if node.op == "argmax":
        if len(node.axes) > 1 and n:
            raise NotVectorisable
        return Code(f"np.argmax({_arguments(code.text, axis)}) + 1", SUM, code.batch, node.order)
    if code.level == ATOM and not code.text.startswith("np."):
        return Code(f"{code.text}.{node.op}({axis})", ATOM, code.batch, node.order)
    return Code(f"np.{node.op}({_arguments(code.text, axis)})", ATOM, code.batch, node.order)


def _arguments(*texts: str) -> str:
    return ", ".join(t for t in texts if t)


def _together(args: Sequence[Expr], state: State, scope: Scope) -> tuple[list[Code], tuple[sympy.Symbol, ...]]:
    """The operands as arrays that all have the same batch axes."""
    codes = [tensor(a, state, scope) for a in args]
    batch = tuple(s for s in scope.symbols if any(s in c.batch for c in codes))
    out: list[Code] = []
    for a, c in zip(args, codes, strict=True):
        if c.batch != batch:
            shape = state.shape((*lengths(batch, scope), *a.shape))
            c = Code(f"np.broadcast_to({spread(c, batch).text}, {shape})", ATOM, batch, c.order)
        out.append(c)
    return out, batch


@emit.register
def _(node: Stack, state: State, scope: Scope) -> Code:
    codes, batch = _together(node.args, state, scope)
    items = ", ".join(c.text for c in codes)
    if node.order == 1 and not batch:
        return Code(f"np.array([{items}])", order=1)
    return Code(f"np.stack([{items}]{f', axis={len(batch)}' if batch else ''})", ATOM, batch, node.order)


@emit.register
def _(node: Concat, state: State, scope: Scope) -> Code:
    codes, batch = _together(node.args, state, scope)
    axis = len(batch) + node.axis
    items = ", ".join(c.text for c in codes)
    return Code(f"np.concatenate([{items}]{f', axis={axis}' if axis else ''})", ATOM, batch, node.order)


@emit.register
def _(node: Chain, state: State, scope: Scope) -> Code:
    factors = [tensor(a, state, scope) for a in node.args]
    left = Factor(factors[0], (*factors[0].batch, *(object() for _ in node.args[0].shape)))
    for code, arg, link in zip(factors[1:], node.args[1:], node.links, strict=True):
        met = left.labels[len(left.labels) - link :]
        right = Factor(code, (*code.batch, *met, *(object() for _ in arg.shape[link:])))
        batch = tuple(s for s in scope.symbols if s in left.labels or s in right.labels)
        kept = [x for x in left.labels[: len(left.labels) - link] if x not in batch]
        out = (*batch, *kept, *(x for x in right.labels if x not in batch and x not in met))
        left = Factor(contract([left, right], out), out)
    batch = tuple(s for s in scope.symbols if s in left.labels)
    return Code(left.code.text, left.code.level, batch, node.order, matmul=left.code.matmul)


@emit.register
def _(node: Entry, state: State, scope: Scope) -> Code:
    arg, items = node.arg, node.items
    if isinstance(arg, Transpose) and arg.order == 2:
        swapped = Entry(arg.arg, (items[1], items[0]), tuple(reversed(node.shape)))
        if node.order < 2:
            return value(swapped, state, scope)
    if isinstance(arg, Transpose) and arg.order == 1:
        arg = arg.arg
    if isinstance(arg, Build) and all(isinstance(i, At) for i in items[: len(arg.binders)]):
        places = {x.symbol: i.index + x.lo - 1 for x, i in zip(arg.binders, items, strict=False) if isinstance(i, At)}
        body = reindex(arg.body, places)
        rest = items[len(arg.binders) :]
        return value(Entry(body, rest, node.shape) if rest else body, state, scope)
    windows = windowed(node, state, scope)
    if windows is not None:
        return windows
    taken = [_item(i, size, state, scope) for i, size in zip(items, arg.shape, strict=True)]
    if isinstance(arg, Var):
        return indexed_items(arg, taken, node.order, state, scope)
    code = tensor(arg, state, scope)
    ranges = {x.symbol: x for x in scope.batch}
    along: list[Item] = [Place(difference(s, ranges[s].lo), ranges[s].length) for s in code.batch]
    if code.batch and (code.level < ATOM or code.text.endswith(")")):
        code = state.bind(code, f"{scope.label}_part")
    made = state.indexer(scope).take(code.at(ATOM), [*along, *taken], arg.order - len(taken))
    if made.text == code.at(ATOM):
        made = changed(made, text=code.text, level=code.level)
    return changed(made, order=node.order)


def _item(item: nodes.Item, size: Int, state: State, scope: Scope) -> Item:
    match item:
        case At(index):
            return Place(difference(index, 1), size)
        case Cut(lo, hi):
            if any(s in scope.symbols for e in (lo, hi) for s in symbols_of(e)):
                raise NotVectorisable
            return Span(difference(lo, 1), hi, size)
        case Pick(by_data):
            code = numeric(value(by_data, state, scope))
            if not code.batch:
                return Data(Code(f"int({code.text}) - 1", SUM))
            return Data(Code(f"{code.at(ATOM)}.astype(int) - 1", SUM, code.batch))


@emit.register
def _(node: Call, state: State, scope: Scope) -> Code:
    codes = [tensor(a, state, scope) for a in node.args]
    batch = tuple(s for s in scope.symbols if any(s in c.batch for c in codes))
    if batch:
        return _batched_call(node, codes, batch, state, scope)
    row = values_of(node)
    for helper in row.helpers:
        state.helper(helper)
    return Code(_filled_in(row.code, node, codes, state, node.shape), ATOM, (), node.order)


def _filled_in(
    template: str, node: Call, codes: Sequence[Code], state: State, shape: tuple[Int, ...], axis: object = None
) -> str:
    settings = {k: state.integer(v) if isinstance(v, sympy.Expr) else v for k, v in node.params if k != "axis"}
    if any(k == "axis" for k, _ in node.params):
        settings["axis"] = node.param("axis") if axis is None else axis
    last = state.integer(shape[-1]) if "{last}" in template else ""
    sizes = "" if "{shape}" not in template else state.shape(shape)
    texts = [c.text for c in codes]
    return template.format(*texts, operands=", ".join(texts), shape=sizes, last=last, **settings)


_BATCHED = {
    "trace": "np.trace({0}, axis1=-2, axis2=-1)",
    "diagpart": "np.diagonal({0}, axis1=-2, axis2=-1)",
    "cross_entropy": "_cross_entropies({0}, {1})",
}
_UNCHANGED = frozenset({"softmax", "logsumexp", "det", "inv", "one_hot", "reshape"})


def _batched_call(node: Call, codes: list[Code], batch: tuple[sympy.Symbol, ...], state: State, scope: Scope) -> Code:
    if node.fn == "diag":
        (v,) = codes
        wide = f"{v.at(ATOM)}[{', '.join([':'] * v.axes)}, None]"
        return Code(f"{wide} * np.eye({state.integer(node.shape[0])})", PRODUCT, batch, 2)
    if node.fn == "cross_entropy":
        if node.args[0].order != 1:
            raise NotVectorisable
        codes = [spread(c, batch, 1) for c in codes]
        state.helper(CROSS_ENTROPIES)
        return Code(_filled_in(_BATCHED[node.fn], node, codes, state, node.shape), ATOM, batch)
    if node.fn == "norm":
        axes = [k - node.args[0].order for k in range(node.args[0].order)]
        axis = str(axes[0]) if len(axes) == 1 else str(tuple(axes))
        return Code(f"np.sqrt(np.sum(np.square({codes[0].text}), axis={axis}))", ATOM, batch)
    template = _BATCHED.get(node.fn)
    if template is None and node.fn not in _UNCHANGED:
        raise NotVectorisable
    row = values_of(node)
    for helper in row.helpers:
        state.helper(helper)
    shape = (*lengths(batch, scope), *node.shape) if node.fn == "reshape" else node.shape
    unit = _unit(node, batch[0]) if node.fn == "one_hot" else None
    axis_from_end: object = None
    if any(k == "axis" for k, _ in node.params):
        order, given = node.args[0].order, node.param("axis")
        axis_from_end = given - order if given is not None else (-1 if order == 1 else tuple(range(-order, 0)))
    text = _filled_in(template or row.code, node, codes, state, shape, axis_from_end)
    return Code(text, ATOM, batch, node.order, unit=unit)


def _unit(node: Call, s: sympy.Symbol) -> tuple[Int, Int] | None:
    """The range of an index over which its unit vectors are all there are, in order."""
    (place,) = node.args
    shift = difference(s, place.value) if isinstance(place, Count) else s
    if s in symbols_of(shift):
        return None
    return integer(1 + shift), integer(node.shape[-1] + shift)
