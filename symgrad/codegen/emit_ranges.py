"""NumPy source of sums, products and extremes over ranges, of tensors given entry by entry, and of guards.

Each is computed for all indices at once where NumPy can, else in a loop.
"""

from collections.abc import Sequence

import sympy

from symgrad.codegen.access import spread
from symgrad.codegen.contract import Factor, contract
from symgrad.codegen.emit import emit, filled, free_ints, lengths, numeric, product, tensor, value
from symgrad.codegen.emit_products import Label, chain, labels, split
from symgrad.codegen.intervals import Ranges, at_most, coefficient, extreme, length, negation_free
from symgrad.codegen.state import NotVectorisable, Scope, State, unreachable
from symgrad.codegen.text import ATOM, COMPARE, PRODUCT, SUM, Code
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, integer, replace, same, symbols_of
from symgrad.tensor.nodes import (
    Apply,
    Binder,
    Build,
    Call,
    Expr,
    Fold,
    Iverson,
    MatMul,
    Mul,
    Pow,
    Rel,
    Transpose,
)
from symgrad.tensor.shapes import same_shape
from symgrad.tensor.walk import fresh_symbol, postorder, reindex

# Guards


def relation(r: Rel, state: State) -> str:
    """A relation of integers as a Python condition: ``t < T`` rather than ``t + 1 <= T``."""
    gap = negation_free(r)
    if gap is None or isinstance(gap, int):
        return f"{state.integer(r.left)} {r.op} {state.integer(r.right)}"
    number, terms = sympy.expand(gap).as_coeff_Add()
    parts = sympy.Add.make_args(terms)
    above = integer(sum((a for a in parts if not a.could_extract_minus_sign()), sympy.S.Zero))
    below = integer(-sum((a for a in parts if a.could_extract_minus_sign()), sympy.S.Zero))
    if below == 0:
        return f"{state.integer(above)} > {state.integer(integer(-number - 1))}"
    if number == -1:
        return f"{state.integer(below)} < {state.integer(above)}"
    if number < 0:
        return f"{state.integer(integer(below - number))} <= {state.integer(above)}"
    return f"{state.integer(below)} <= {state.integer(integer(above + number))}"


def condition(conds: Sequence[Rel], state: State) -> str:
    """All relations as one Python condition."""
    return " and ".join(relation(c, state) for c in conds)


def batched(r: Rel, scope: Scope) -> tuple[sympy.Symbol, ...]:
    """The batch indices that a relation names."""
    here = symbols_of(r.left) | symbols_of(r.right)
    return tuple(s for s in scope.symbols if s in here)


def mask(conds: Sequence[Rel], state: State, scope: Scope) -> Code:
    """Truth values along the batch indices that the relations name."""
    symbols = tuple(s for s in scope.symbols if any(s in batched(c, scope) for c in conds))
    parts: list[str] = []
    for c in conds:
        sides = [state.index_array(x, symbols, scope) for x in (c.left, c.right)]
        left, right = (text if level >= SUM else f"({text})" for text, level in sides)
        parts.append(f"{left} {c.op} {right}")
    if len(parts) == 1:
        return Code(parts[0], COMPARE, symbols, boolean=True)
    return Code(" & ".join(f"({p})" for p in parts), COMPARE, symbols, boolean=True)


@emit.register
def _(node: Iverson, state: State, scope: Scope) -> Code:
    plain = [c for c in node.conds if not batched(c, scope)]
    spread_out = [c for c in node.conds if batched(c, scope)]
    if not spread_out:
        return Code(f"1.0 if {condition(plain, state)} else 0.0", 0)
    if plain:
        raise NotVectorisable
    return mask(spread_out, state, scope)


@emit.register
def _(node: Mul, state: State, scope: Scope) -> Code:
    conds = tuple(c for a in node.args if isinstance(a, Iverson) for c in a.conds)
    if not conds:
        return product(node.args, node.shape, state, scope)
    args = [a for a in node.args if not isinstance(a, Iverson)]
    plain = [c for c in conds if not batched(c, scope)]
    masked = [c for c in conds if batched(c, scope)]
    if plain:
        rest = b.mul(*([b.iverson(*masked)] if masked else []), *args)
        return conditional(rest, plain, state, scope)
    if any(_partial(a) for a in args):
        raise NotVectorisable
    chosen = mask(masked, state, scope)
    inner = value(b.mul(b.ONE, *args), state, scope.masked())
    batch = tuple(s for s in scope.symbols if s in chosen.batch or s in inner.batch)
    left, right = spread(chosen, batch, inner.order), spread(numeric(inner), batch, inner.order)
    if right.text == "1":
        return chosen
    return Code(f"{left.factor} * {right.factor}", PRODUCT, batch, inner.order)


def conditional(rest: Expr, conds: Sequence[Rel], state: State, scope: Scope) -> Code:
    """A value that is zero, and not computed, where the conditions fail."""
    name = state.names.fresh(f"{scope.label}_part")
    place = len(state.lines)
    with state.block(f"if {condition(conds, state)}"):
        code = numeric(value(rest, state, scope))
        state.line(f"{name} = {code.text}")
    after = state.lines[place:]
    del state.lines[place:]
    sizes = (*lengths(code.batch, scope), *rest.shape[len(rest.shape) - code.order :])
    state.line(f"{name} = {f'np.zeros({state.shape(sizes)})' if sizes else '0.0'}")
    state.lines += after
    return Code(name, ATOM, code.batch, code.order)


_PARTIAL = frozenset({"log", "sqrt", "exp"})


def _partial(e: Expr) -> bool:
    """Whether an expression may fail where it is not wanted: a logarithm, a root, a quotient."""
    for x in postorder(e):
        if isinstance(x, Apply) and x.fn in _PARTIAL:
            return True
        if isinstance(x, Call) and x.fn in ("inv", "cross_entropy"):
            return True
        if isinstance(x, Pow) and not isinstance(x.base, type(b.ONE)):
            e2 = b.number_of(x.exponent)
            if e2 is None or e2 < 0 or e2.denominator != 1:
                return True
    return False


# Tensors by entries


def apart(binders: Ranges, body: Expr, conds: tuple[Rel, ...], scope: Scope) -> tuple[Ranges, Expr, tuple[Rel, ...]]:
    """The binders renamed away from the indices of the scope."""
    outer = {x.symbol for x in scope.ranges}
    renamed: dict[sympy.Symbol, Int] = {}
    for x in binders:
        if x.symbol in outer:
            taken = outer | {y.symbol for y in binders} | free_ints(body) | set(map(_symbol, renamed.values()))
            renamed[x.symbol] = fresh_symbol(x.symbol, taken)
    if not renamed:
        return binders, body, conds
    fresh = tuple(
        Binder(_symbol(renamed.get(x.symbol, x.symbol)), replace(x.lo, renamed), replace(x.hi, renamed))
        for x in binders
    )
    moved = tuple(b.rel(c.op, replace(c.left, renamed), replace(c.right, renamed)) for c in conds)
    return fresh, reindex(body, renamed), moved


def _symbol(s: Int) -> sympy.Symbol:
    assert isinstance(s, sympy.Symbol)
    return s


@emit.register
def _(node: Build, state: State, scope: Scope) -> Code:
    binders, body, _ = apart(node.binders, node.body, (), scope)
    if scope.batch:
        return built(node, binders, body, state, scope)
    made = state.attempt(lambda: built(node, binders, body, state, scope))
    if made is not None:
        return made
    name = state.names.fresh(scope.label if scope.label not in state.names.taken else f"{scope.label}_part")
    state.line(f"{name} = np.zeros({state.shape(node.shape)})")
    first = binders[0]
    with state.block(f"for {state.symbol(first.symbol)[0]} in {span(first, state)}"):
        inner = value(b.build(body, binders[1:]), state, scope.at(first))
        state.line(f"{name}[{state.integer(difference(first.symbol, first.lo))}] = {numeric(inner).text}")
    return Code(name, ATOM, (), node.order)


def span(x: Binder, state: State) -> str:
    """``range(lo, hi + 1)``."""
    return f"range({state.integer(x.lo)}, {state.integer(integer(sympy.expand(x.hi + 1)))})"


def built(node: Build, binders: Ranges, body: Expr, state: State, scope: Scope) -> Code:
    """The tensor with one batch axis for each binder."""
    inside = scope.over(*binders)
    code = numeric(value(body, state, inside))
    outer = tuple(s for s in scope.symbols if s in code.batch)
    wanted = (*outer, *(x.symbol for x in binders))
    if code.batch == wanted and code.order == body.order:
        return Code(code.text, code.level, outer, node.order)
    if not code.axes:
        return filled(code, node.shape, state, scope)
    sizes = state.shape((*lengths(outer, scope), *node.shape))
    return Code(f"np.broadcast_to({spread(code, wanted, body.order).text}, {sizes})", ATOM, outer, node.order)


# Folds


@emit.register
def _(node: Fold, state: State, scope: Scope) -> Code:
    binders, body, conds = apart(node.binders, node.body, node.conds, scope)
    if node.op == "sum":
        binders, body, conds = solved(binders, body, conds, scope)
        if not binders:
            return value(b.mul(b.iverson(*conds), body) if conds else body, state, scope)
    if node.op == "matprod":
        if scope.batch:
            raise NotVectorisable
        return looped(node, binders, body, conds, state, scope)
    if scope.batch:
        return folded(node, binders, body, conds, state, scope)
    made = state.attempt(lambda: folded(node, binders, body, conds, state, scope))
    return looped(node, binders, body, conds, state, scope) if made is None else made


def solved(binders: Ranges, body: Expr, conds: tuple[Rel, ...], scope: Scope) -> tuple[Ranges, Expr, tuple[Rel, ...]]:
    """A sum without the indices that an equality settles."""
    while True:
        if isinstance(body, Fold) and body.op == "sum":
            inner, inside, more = apart(body.binders, body.body, body.conds, scope.over(*binders))
            binders, body, conds = (*binders, *inner), inside, (*conds, *more)
            continue
        if isinstance(body, Mul) and any(isinstance(a, Iverson) for a in body.args):
            conds = (*conds, *(c for a in body.args if isinstance(a, Iverson) for c in a.conds))
            body = b.mul(b.ONE, *(a for a in body.args if not isinstance(a, Iverson)))
        if isinstance(body, Iverson):
            conds, body = (*conds, *body.conds), b.ONE
        hit = _settled(binders, conds)
        if hit is None:
            return binders, body, conds
        x, index, used = hit
        mapping = {x.symbol: index}
        kept = [c for c in conds if c is not used] + [Rel("<=", x.lo, x.symbol), Rel("<=", x.symbol, x.hi)]
        moved = [b.rel(c.op, replace(c.left, mapping), replace(c.right, mapping)) for c in kept]
        binders = tuple(Binder(y.symbol, replace(y.lo, mapping), replace(y.hi, mapping)) for y in binders if y is not x)
        known = scope.ranges + binders
        conds = tuple(c for c in moved if b.holds(c) is not True and not _proved(c, known))
        body = reindex(body, mapping)


def _proved(c: Rel, known: Ranges) -> bool:
    gap = negation_free(c)
    return gap is not None and at_most(0, gap, known)


def _settled(binders: Ranges, conds: tuple[Rel, ...]) -> tuple[Binder, Int, Rel] | None:
    for c in conds:
        if c.op != "==":
            continue
        gap = difference(c.left, c.right)
        for x in reversed(binders):
            k = coefficient(gap, x.symbol)
            if k in (1, -1) and not any(x.symbol in symbols_of(e) for y in binders for e in (y.lo, y.hi)):
                rest = difference(gap, k * x.symbol)
                return x, integer(sympy.expand(-k * rest)), c
    return None


def rectangular(binders: Ranges, conds: tuple[Rel, ...], scope: Scope) -> tuple[Ranges, tuple[Rel, ...]]:
    """Ranges that do not depend on batch indices or on each other, with relations for what that leaves out."""
    out: list[Binder] = []
    extra: list[Rel] = []
    for x in binders:
        lo, hi = (extreme(e, scope.batch + tuple(out), up) for e, up in ((x.lo, False), (x.hi, True)))
        if lo is None or hi is None:
            raise NotVectorisable
        if lo != x.lo:
            extra.append(Rel("<=", x.lo, x.symbol))
        if hi != x.hi:
            extra.append(Rel("<=", x.symbol, x.hi))
        out.append(Binder(x.symbol, lo, hi))
    left: list[Rel] = []
    for c in (*conds, *extra):
        cut = _cut(out, c, scope)
        if cut is None:
            left.append(c)
        else:
            out = cut
    return tuple(out), tuple(left)


def _cut(binders: list[Binder], c: Rel, scope: Scope) -> list[Binder] | None:
    """The ranges cut by a relation of one index with what does not vary."""
    gap = negation_free(c)
    mine = [k for k, x in enumerate(binders) if x.symbol in symbols_of(c.left) | symbols_of(c.right)]
    if gap is None or len(mine) != 1 or batched(c, scope):
        return None
    x = binders[mine[0]]
    k = coefficient(gap, x.symbol)
    if k == 1:
        fresh = Binder(x.symbol, _extreme_of((x.lo, difference(x.symbol, gap)), sympy.Max, scope), x.hi)
    elif k == -1:
        fresh = Binder(x.symbol, x.lo, _extreme_of((x.hi, integer(gap + x.symbol)), sympy.Min, scope))
    else:
        return None
    return [fresh if n == mine[0] else y for n, y in enumerate(binders)]


def _extreme_of(ends: tuple[Int, Int], kind: type, scope: Scope) -> Int:
    a, c = ends
    if at_most(a, c, scope.known):
        return c if kind is sympy.Max else a
    if at_most(c, a, scope.known):
        return a if kind is sympy.Max else c
    return integer(kind(a, c))


_EMPTY = {"prod": "1.0", "max": "-np.inf", "min": "np.inf"}


def folded(node: Fold, binders: Ranges, body: Expr, conds: tuple[Rel, ...], state: State, scope: Scope) -> Code:
    """The fold for all indices at once."""
    binders, left = rectangular(binders, conds, scope)
    inside = scope.over(*binders)
    masks = [c for c in left if batched(c, inside)]
    if len(masks) < len(left):
        raise NotVectorisable
    if masks:
        if _partial(body):
            raise NotVectorisable
        inside = inside.masked()
    if node.op == "sum":
        return _summed(node, binders, body, masks, state, inside, scope)
    code = tensor(body, state, inside)
    bound = tuple(x.symbol for x in binders)
    batch = tuple(s for s in inside.symbols if s in code.batch or s in bound)
    if masks:
        chosen = mask(masks, state, inside)
        batch = tuple(s for s in inside.symbols if s in batch or s in chosen.batch)
        texts = [spread(c, batch, body.order).text for c in (chosen, code)]
        code = Code(f"np.where({texts[0]}, {texts[1]}, {_EMPTY[node.op]})", ATOM, batch, body.order)
    elif code.batch != batch:
        sizes = state.shape((*lengths(batch, inside), *body.shape))
        code = Code(f"np.broadcast_to({spread(code, batch).text}, {sizes})", ATOM, batch, body.order)
    axes = [k for k, s in enumerate(batch) if s in bound]
    axis = axes[0] if len(axes) == 1 else tuple(axes)
    rest = tuple(s for s in batch if s not in bound)
    return Code(f"np.{node.op}({code.text}, axis={axis})", ATOM, rest, body.order)


def _summed(
    node: Fold, binders: Ranges, body: Expr, masks: list[Rel], state: State, inside: Scope, scope: Scope
) -> Code:
    own = tuple(Label("ij"[k % 2]) for k in range(body.order))
    constant: list[Code] = []
    if isinstance(body, Mul):
        bound = {x.symbol for x in binders}
        still = [a for a in body.args if a.order == 0 and not free_ints(a) & bound]
        moving = [a for a in body.args if a not in still]
        if still and moving and same_shape(b.mul(*moving).shape, body.shape):
            constant = [value(a, state, scope) for a in still]
            body = b.mul(*moving)
    found, own_names = _relabelled(factors(body, own, state, inside), binders, own)
    if masks:
        chosen = mask(masks, state, inside)
        found.insert(0, Factor(chosen, chosen.batch))
    present = {s for f in found for s in f.code.batch}
    for x in binders:
        if x.symbol not in present and x.symbol not in own_names:
            size = state.number(length(x) if at_most(x.lo, x.hi + 1, scope.ranges) else sympy.Max(length(x), 0))
            found.insert(0, Factor(Code(*size), ()))
    batch = tuple(s for s in scope.symbols if s in present)
    code = contract(found, (*batch, *own_names))
    made = Code(code.text, code.level, batch, body.order, matmul=code.matmul)
    if not constant:
        return made
    scaled = [spread(c, batch, body.order) for c in [numeric(c) for c in constant]]
    outer = tuple(s for s in scope.symbols if s in batch or any(s in c.batch for c in constant))
    text = " * ".join(c.factor for c in (*scaled, spread(made, outer)))
    return Code(text, PRODUCT, outer, body.order)


def _relabelled(
    found: list[Factor], binders: Ranges, own: tuple[object, ...]
) -> tuple[list[Factor], tuple[object, ...]]:
    """The factors without identity matrices between a summed index and an axis of the result."""
    summed = {x.symbol: x for x in binders}
    names: list[object] = list(own)
    kept: list[Factor] = []
    for f in found:
        x = summed.get(f.code.batch[0]) if len(f.code.batch) == 1 else None
        axis = next((k for k, label in enumerate(own) if f.labels[-1:] == (label,)), None)
        unit = x is not None and f.code.unit is not None and same(x.lo, 1) and same(x.hi, f.code.unit)
        if unit and x is not None and axis is not None and names[axis] is own[axis] and x.symbol not in names:
            names[axis] = x.symbol
        else:
            kept.append(f)
    renamed = dict(zip(own, names, strict=True))
    if not all(s in {y for f in kept for y in f.code.batch} for s in names if s in summed):
        return found, own
    return [Factor(f.code, tuple(renamed.get(y, y) for y in f.labels)) for f in kept], tuple(names)


def factors(e: Expr, own: tuple[object, ...], state: State, scope: Scope) -> list[Factor]:
    """An expression as a product of arrays with labelled axes."""
    match e:
        case Transpose():
            return factors(e.arg, tuple(reversed(own)), state, scope)
        case MatMul():
            made = _matmul_factors(e, own, state, scope)
            if made is not None:
                return made
        case Mul(args=args) if not any(isinstance(a, Iverson) for a in args):
            fills = [a for a in args if b.number_of(a) is not None and a.order]
            if not fills and all(_lines_up(a, e) for a in args) and _has_all_axes(e):
                return [f for a in args for f in factors(a, own[len(own) - a.order :], state, scope)]
    code = value(e, state, scope)
    if code.order < e.order:
        code = filled(code, e.shape, state, scope)
    return [Factor(code, (*code.batch, *own))]


def _lines_up(a: Expr, e: Expr) -> bool:
    return same_shape(a.shape, e.shape[e.order - a.order :])


def _has_all_axes(e: Mul) -> bool:
    return not e.order or any(a.order == e.order for a in e.args)


def _matmul_factors(e: MatMul, own: tuple[object, ...], state: State, scope: Scope) -> list[Factor] | None:
    cut = split(e.args)
    left, right = chain(e.args[:cut], state, scope), chain(e.args[cut:], state, scope)
    if left.kind == right.kind == "diagonal":
        return None
    a, c, out = labels(left, right)
    to = dict(zip(out, own, strict=True))
    return [
        Factor(x.code, (*x.code.batch, *(to.get(label, label) for label in given)))
        for x, given in ((left, a), (right, c))
    ]


def looped(node: Fold, binders: Ranges, body: Expr, conds: tuple[Rel, ...], state: State, scope: Scope) -> Code:
    """The fold in a loop over its indices, conditions as ``if``."""
    if scope.batch:
        raise NotVectorisable
    name = state.names.fresh({"sum": "total", "prod": "product", "matprod": "product"}.get(node.op, "best"))
    whole = state.shape(body.shape) if body.order else ""
    zero = f"np.zeros({whole})" if body.order else "0.0"
    start = {
        "sum": zero,
        "prod": f"np.ones({whole})" if body.order else "1.0",
        "matprod": f"np.eye({state.integer(body.shape[0])})" if body.order else "1.0",
    }.get(node.op, f"np.full({whole}, {_EMPTY.get(node.op)})" if body.order else _EMPTY.get(node.op, ""))
    state.line(f"{name} = {start}")
    _nest(node, list(binders), body, list(conds), name, state, scope)
    return Code(name, ATOM, (), body.order)


def _nest(
    node: Fold, binders: list[Binder], body: Expr, conds: list[Rel], name: str, state: State, scope: Scope
) -> None:
    waiting = {x.symbol for x in binders}
    now = [c for c in conds if not waiting & (symbols_of(c.left) | symbols_of(c.right))]
    later = [c for c in conds if c not in now]
    if now:
        with state.block(f"if {condition(now, state)}"):
            _nest(node, binders, body, later, name, state, scope)
        return
    if not binders:
        code = numeric(value(body, state, scope))
        match node.op:
            case "sum":
                state.line(f"{name} += {code.text}" if not body.order else f"{name} = {name} + {code.at(PRODUCT)}")
            case "prod":
                state.line(f"{name} = {name} * {code.at(PRODUCT + 1)}")
            case "matprod":
                state.line(f"{name} = {name} @ {code.at(PRODUCT + 1)}")
            case "max" | "min":
                state.line(f"{name} = np.{node.op}imum({name}, {code.text})")
            case _:
                raise unreachable(node.op)
        return
    first = binders[0]
    head = span(first, state)
    if node.descending:
        head = f"range({state.integer(first.hi)}, {state.integer(first.lo - 1)}, -1)"
    with state.block(f"for {state.symbol(first.symbol)[0]} in {head}"):
        _nest(node, binders[1:], body, later, name, state, scope.at(first))
