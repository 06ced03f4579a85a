"""Statements: arrays allocated, definitions computed for all steps at once or step by step."""

from collections.abc import Iterable, Sequence

import sympy

from symgrad.codegen.access import Place, spread
from symgrad.codegen.emit import filled, lengths, numeric, value
from symgrad.codegen.emit_ranges import span
from symgrad.codegen.guards import batched, condition
from symgrad.codegen.intervals import Ranges, at_most, clip, fixed_value, largest
from symgrad.codegen.plan import Loop, Once
from symgrad.codegen.simplify import seeds
from symgrad.codegen.state import NotVectorisable, Scope, State
from symgrad.codegen.storage import Store
from symgrad.codegen.text import ATOM, SUM, Code
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, replace, symbols_of
from symgrad.tensor.nodes import (
    Apply,
    Binder,
    Build,
    Call,
    Chain,
    Expr,
    Fold,
    MatMul,
    Mul,
    Pow,
    Reduce,
    Rel,
)
from symgrad.tensor.reindex import reindex
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder

_COSTLY = (MatMul, Apply, Call, Fold, Build, Reduce, Chain, Mul, Pow)


def repeated(roots: Iterable[Expr]) -> frozenset[Expr]:
    """Nodes worth computing once that several operands name."""
    counts: dict[Expr, int] = {}
    for node in postorder(*roots):
        for c in node.children:
            counts[c] = counts.get(c, 0) + 1
    return frozenset(
        x for x, n in counts.items() if n > 1 and isinstance(x, _COSTLY) and (x.order or isinstance(x, MatMul | Fold))
    )


def allocate(family: str, state: State, scope: Scope) -> None:
    """The array of a family as zeros, with the inputs that belong to it."""
    if family in state.allocated:
        return
    state.allocated.add(family)
    store = state.stores.arrays[family]
    state.line(f"{store.name} = np.zeros({_room(store, state, scope)})")
    for i in store.copied:
        places = [Place(difference(s, a.base), a.length) for s, a in zip(i.subs, store.axes, strict=True) if a]
        inner = Scope(scope.known, i.ranges)
        target = state.indexer(inner).take(store.name, places)
        state.line(f"{target.text} = {i.argument}")


def _room(store: Store, state: State, scope: Scope) -> str:
    """The shape of a family's array, where a range that ends before it begins has no rows."""
    lengths = [a.length for a in store.axes if a is not None]
    return state.shape((*(largest((n, 0), scope.known) for n in lengths), *store.entry))


def write(part: Once | Loop, state: State, scope: Scope) -> None:
    """The statements of one part of a plan."""
    if isinstance(part, Once):
        definition(part.definition, state, scope)
        return
    step = part.step
    outermost = state.indent == 1
    if outermost:
        state.gap()
        state.line("# Backward through the steps." if part.descending else "# Forward through the steps.")
    arrays = [d.family for d in part.members if all(a is not None for a in state.stores.arrays[d.family].axes)]
    padded = [f for f in arrays if state.stores.arrays[f].padded]
    for family in (f for f in arrays if f not in padded):
        allocate(family, state, scope)
    if any(f not in state.allocated for f in padded):
        state.line("# Rows beyond the last step stay zero.")
    for family in padded:
        allocate(family, state, scope)
    name = state.symbol(step.symbol)[0]
    head = span(step, state)
    if part.descending:
        head = f"range({state.integer(step.hi)}, {state.integer(difference(step.lo, 1))}, -1)"
    with state.block(f"for {name} in {head}"):
        for inner in part.body:
            write(inner, state, scope.at(step))
    if outermost:
        state.gap()


def definition(d: Definition, state: State, scope: Scope) -> None:
    """The statements that compute all members of a definition, or those of the current step."""
    state.shared = state.common if state.indent == 1 else repeated([d.body])
    fixed = {x.symbol for x in scope.known}
    missing = [c for x in d.ranges if x.symbol in fixed for c in _bounds(x, scope)]
    here = Scope(scope.known, (), False, state.stores.arrays[d.family].name)
    ranges = tuple(x for x in d.ranges if x.symbol not in fixed)
    conds = [*missing, *d.conds]
    plain = [c for c in conds if not _mentions(c, ranges)]
    rest = tuple(c for c in conds if c not in plain)
    store = state.stores.arrays[d.family]
    if not store.direct and all(a is not None for a in store.axes):
        allocate(d.family, state, here)
    if plain:
        allocate(d.family, state, here)
        with state.block(f"if {condition(plain, state)}"):
            members(d, ranges, rest, state, here)
    else:
        members(d, ranges, rest, state, here)


def _mentions(c: Rel, ranges: Ranges) -> bool:
    return any(x.symbol in symbols_of(c.left) | symbols_of(c.right) for x in ranges)


def _bounds(x: Binder, scope: Scope) -> list[Rel]:
    """What must be checked so that a loop's step lies in a definition's own range."""
    out: list[Rel] = []
    if not at_most(x.lo, x.symbol, scope.known):
        out.append(b.rel("<=", x.lo, x.symbol))
    if not at_most(x.symbol, x.hi, scope.known):
        out.append(b.rel("<=", x.symbol, x.hi))
    return out


def members(d: Definition, ranges: Ranges, conds: tuple[Rel, ...], state: State, scope: Scope) -> None:
    """All members at once where NumPy can, else in a loop over the first index."""
    store = state.stores.arrays[d.family]
    ordered = tuple(x for i in d.indices for x in ranges if x.symbol == i)
    done = state.attempt(lambda: _at_once(d, ordered, conds, store, state, scope))
    if done is not None:
        return
    if not ranges:
        raise NotVectorisable
    allocate(d.family, state, scope)
    first = ranges[0]
    with state.block(f"for {state.symbol(first.symbol)[0]} in {span(first, state)}"):
        inner = scope.at(first)
        plain = [c for c in conds if not _mentions(c, ranges[1:])]
        left = tuple(c for c in conds if c not in plain)
        if plain:
            with state.block(f"if {condition(plain, state)}"):
                members(d, ranges[1:], left, state, inner)
        else:
            members(d, ranges[1:], left, state, inner)


def _at_once(d: Definition, ranges: Ranges, conds: tuple[Rel, ...], store: Store, state: State, scope: Scope) -> Code:
    start, left = clip(ranges, conds, scope.known)
    if left:
        raise NotVectorisable
    terms = seeds(d.body, start, scope.known)
    whole = len(terms) == 1 and terms[0][1] == ranges and not terms[0][2]
    local = d.family not in state.allocated
    if whole and local and (store.direct or any(a is None for a in store.axes)):
        body = terms[0][0]
        code = _complete(value(body, state, scope.over(*ranges)), d, ranges, state, scope)
        state.line(f"{store.name} = {code.text}")
        return code
    if local and not any(a is not None for a in store.axes):
        return _single(terms, store.name, d, state, scope)
    if local:
        state.line(f"{store.name} = np.zeros({_room(store, state, scope)})")
        if all(a is not None for a in store.axes):
            state.allocated.add(d.family)
    for k, (term, cut, guard) in enumerate(terms):
        _term(d, term, cut, guard, "=" if k == 0 else "+=", state, scope)
    return Code(store.name)


def _complete(code: Code, d: Definition, ranges: Ranges, state: State, scope: Scope) -> Code:
    """The value with an axis for every index and every entry."""
    inside = scope.over(*ranges)
    symbols = tuple(x.symbol for x in ranges)
    code = numeric(code)
    if code.batch == symbols:
        return filled(code, d.body.shape, state, inside)
    if not code.axes:
        wide = filled(code, (*lengths(symbols, inside), *d.body.shape), state, scope)
        return Code(wide.text, ATOM, symbols, d.body.order)
    raise _Narrow


class _Narrow(NotVectorisable):
    """A value that is the same at several indices."""


def _single(
    terms: Sequence[tuple[Expr, Ranges, tuple[Rel, ...]]], name: str, d: Definition, state: State, scope: Scope
) -> Code:
    """A value of the current step, as a sum whose guarded terms are added under ``if``."""
    rest = list(terms)
    if terms[0][2]:
        state.line(f"{name} = np.zeros({state.shape(d.body.shape)})" if d.body.order else f"{name} = 0.0")
    else:
        first = filled(value(terms[0][0], state, scope), d.body.shape, state, scope)
        state.line(f"{name} = {first.text}")
        rest = rest[1:]
    for term, _, guard in rest:
        with state.block(f"if {condition(guard, state)}"):
            code = numeric(value(term, state, scope))
            state.line(f"{name} = {name} + {code.at(SUM)}")
    return Code(name)


def _term(
    d: Definition, term: Expr, cut: Ranges, guard: tuple[Rel, ...], sign: str, state: State, scope: Scope
) -> None:
    """One term written into, or added to, the rows where it counts."""
    mapping: dict[sympy.Symbol, Int] = {}
    kept: list[Binder] = []
    for x in cut:
        only = fixed_value(x)
        if only is None or any(x.symbol in symbols_of(e) for y in cut for e in (y.lo, y.hi)):
            kept.append(x)
        else:
            mapping[x.symbol] = only
    term = reindex(term, mapping)
    inside = scope.over(*kept)
    plain = [b.rel(c.op, replace(c.left, mapping), replace(c.right, mapping)) for c in guard]
    masked = [c for c in plain if batched(c, inside)]
    plain = [c for c in plain if c not in masked and b.holds(c) is not True]
    if masked:
        term = b.mul(b.iverson(*masked), term)
    store = state.stores.arrays[d.family]
    places = [
        Place(difference(replace(i, mapping), a.base), a.length)
        for i, a in zip(d.indices, store.axes, strict=True)
        if a is not None
    ]
    target = state.indexer(inside).take(store.name, [*places, *store.taken(term.shape)])
    if "transpose" in target.text or target.text.endswith(".T"):
        raise NotVectorisable
    if b.is_zero(term) and sign == "=":
        return
    if plain:
        with state.block(f"if {condition(plain, state)}"):
            _store(target, term, sign, state, inside)
    else:
        _store(target, term, sign, state, inside)


def _store(target: Code, term: Expr, sign: str, state: State, scope: Scope) -> None:
    code = numeric(value(term, state, scope))
    wide = spread(code, target.batch, term.order)
    # A bare name would be bound anew, perhaps to an argument that later terms would then change.
    place = f"{target.text}[:]" if target.axes and target.text.isidentifier() and sign == "=" else target.text
    state.line(f"{place} {sign} {wide.text}")
