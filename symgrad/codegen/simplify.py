"""Loops made shorter: guards that only cut off zeros dropped, values that are read once put where they are read."""

from msgspec.structs import replace as changed

from symgrad.codegen.accesses import Access, accesses
from symgrad.codegen.intervals import Ranges, at_most, clip, largest, smallest
from symgrad.codegen.model import Model
from symgrad.codegen.plan import Loop, plan
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, same
from symgrad.tensor.nodes import (
    Add,
    Binder,
    Build,
    Call,
    Entry,
    Expr,
    Fold,
    Iverson,
    MatMul,
    Mul,
    Permute,
    Reduce,
    Rel,
    Transpose,
    Var,
)
from symgrad.tensor.rebuild import rebuild
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder


def domain(model: Model, family: str, axis: int) -> tuple[Int, Int] | None:
    """The least and the greatest index of a family along an axis; None where an input belongs to it."""
    lows: list[Int] = []
    highs: list[Int] = []
    if any(i.family == family for i in model.inputs):
        return None
    for d in model.family(family):
        x = next((r for r in d.ranges if r.symbol == d.indices[axis]), None)
        lows.append(d.indices[axis] if x is None else x.lo)
        highs.append(d.indices[axis] if x is None else x.hi)
    return smallest(lows, model.open), largest(highs, model.open)


def drop_guards(model: Model) -> Model:
    """The model without guards beyond which a recurrence's own values are zero anyway (its array gets zero rows)."""
    out = list(model.definitions)
    for part in plan(model):
        if not isinstance(part, Loop):
            continue
        families = {d.family for d in part.members if not d.conds}
        for k, d in enumerate(out):
            if d.family in families and part.step.symbol in d.indices:
                dropper = _Dropper(model, families)
                out[k] = changed(d, body=dropper.visit(d.body, d.ranges))
    return model.with_definitions(tuple(out))


class _Dropper:
    def __init__(self, model: Model, families: set[str]) -> None:
        self.model = model
        self.families = families

    def visit(self, e: Expr, ranges: Ranges) -> Expr:
        if isinstance(e, Mul) and any(isinstance(a, Iverson) for a in e.args):
            conds = tuple(c for a in e.args if isinstance(a, Iverson) for c in a.conds)
            rest = b.mul(*(a for a in e.args if not isinstance(a, Iverson)))
            if self.removable(conds, rest, ranges):
                return self.visit(rest, ranges)
            return e
        if isinstance(e, Fold) and e.op == "sum":
            inside = (*ranges, *e.binders)
            body = self.visit(e.body, inside)
            conds = () if e.conds and self.removable(e.conds, e.body, inside) else e.conds
            return b.fold(e.op, body, e.binders, conds)
        if isinstance(e, Fold | Build) or not e.children:
            return e
        children = tuple(self.visit(c, ranges) for c in e.children)
        return rebuild(e, children) if children != e.children else e

    def removable(self, conds: tuple[Rel, ...], rest: Expr, ranges: Ranges) -> bool:
        if isinstance(rest, Add):
            return all(self.removable(conds, a, ranges) for a in rest.args)
        inner = linear_reads(rest)
        if not all(any(self.cuts(c, v) for v in inner) for c in conds):
            return False
        return all(self.safe(a, ranges) for a in accesses(rest, ranges, (), self.model.open))

    def cuts(self, c: Rel, v: Var) -> bool:
        """Whether the relation says no more than that the node exists."""
        gap = b.slack(c)
        if gap is None or v.name not in self.families:
            return False
        for axis, sub in enumerate(v.subs):
            ends = domain(self.model, v.name, axis)
            if ends is not None and (same(gap, difference(ends[1], sub)) or same(gap, difference(sub, ends[0]))):
                return True
        return False

    def safe(self, a: Access, ranges: Ranges) -> bool:
        """Whether a node exists for all indices, or belongs to an array that may have zero rows at its ends."""
        if a.guarded:
            return False
        if a.node.name in self.families:
            return True
        return exists(self.model, a)


def exists(model: Model, a: Access) -> bool:
    """Whether one definition or argument is proved to have all that is read."""
    inputs = [i.target for i in model.inputs if i.family == a.node.name]
    return any(covers(model, a, d) for d in (*model.family(a.node.name), *inputs))


def covers(model: Model, a: Access, d: Definition) -> bool:
    """Whether a definition is proved to make every node of an access."""
    own = {x.symbol: x for x in d.ranges}
    for axis, index in enumerate(d.indices):
        lo, hi = a.span(axis)
        x = own.get(index)
        first, last = (index, index) if x is None else (x.lo, x.hi)
        if lo is None or hi is None or not at_most(first, lo, model.open) or not at_most(hi, last, model.open):
            return False
    return True


def linear_reads(e: Expr) -> list[Var]:
    """The named nodes in which an expression is linear along every path, so that it is 0 where they are."""
    match e:
        case Var():
            return [e]
        case Mul() | MatMul():
            return [v for a in e.args for v in linear_reads(a)]
        case Transpose() | Permute() | Build():
            return linear_reads(e.children[0])
        case Entry():
            return linear_reads(e.arg)
        case Reduce(op="sum") | Fold(op="sum"):
            return linear_reads(e.children[0])
        case Add():
            each = [linear_reads(a) for a in e.args]
            return [v for v in each[0] if all(v in other for other in each[1:])]
    return []


def inline(model: Model, products: bool = False) -> Model:
    """The model with loop values that are read once, at the same step, written where they are read.

    Args:
        model: the model.
        products: whether only products are, so that their factors can be computed together.
    """
    while True:
        loops = [x for x in plan(model) if isinstance(x, Loop)]
        short = [
            (loop, d)
            for loop in loops
            for d in loop.members
            if (isinstance(d.body, Mul) if products else _weight(d.body) <= 2 and _length(d.body) <= 3)
        ]
        step = next((m for loop, d in short if (m := _inlined(model, loop, d)) is not None), None)
        if step is None:
            return model
        model = step


def _inlined(model: Model, loop: Loop, d: Definition) -> Model | None:
    if d.conds or len(model.family(d.family)) != 1 or _guarded(d.body):
        return None
    if any(i.family == d.family for i in model.inputs):
        return None
    if any(a.node.name == d.family for a in model.output_reads()):
        return None
    readers = [m for m in model.definitions for a in model.reads(m) if a.node.name == d.family]
    if len(readers) != 1 or readers[0].family == d.family:
        return None
    reader = readers[0]
    node = b.var(d.family, d.indices, d.body.shape, d.facts)
    seen = [v for v in postorder(reader.body) if isinstance(v, Var) and v.name == d.family]
    if len(seen) != 1 or seen[0].subs != node.subs or _uses(reader.body, seen[0]) != 1:
        return None
    if reader.conds or not _same_ranges(reader.ranges, d.ranges) or d.body.row:
        return None
    if not any(m.family == reader.family for m in loop.members) or _under_binder(reader.body, seen[0]):
        return None
    body = replace_nodes(reader.body, {seen[0]: d.body})
    kept = tuple(changed(m, body=body) if m is reader else m for m in model.definitions if m.family != d.family)
    return model.with_definitions(kept)


def _weight(e: Expr) -> int:
    """How much a reader of one line is asked to take in."""
    nodes = postorder(e)
    return sum(isinstance(x, MatMul) + 2 * isinstance(x, Fold | Build | Call) for x in nodes)


def _length(e: Expr) -> int:
    """How many names a line would have."""
    counts: dict[Expr, int] = {}
    for x in postorder(e):
        counts[x] = 1 if isinstance(x, Var) else sum(counts[c] for c in x.children)
    return counts[e]


def _same_ranges(a: tuple[Binder, ...], c: tuple[Binder, ...]) -> bool:
    return len(a) == len(c) and all(
        x.symbol == y.symbol and same(x.lo, y.lo) and same(x.hi, y.hi) for x, y in zip(a, c, strict=True)
    )


def _guarded(e: Expr) -> bool:
    return any(isinstance(x, Iverson) for x in postorder(e))


def _uses(e: Expr, v: Var) -> int:
    return sum(c is v for x in postorder(e) for c in x.children)


def _under_binder(e: Expr, v: Var) -> bool:
    binders = [x for x in postorder(e) if isinstance(x, Fold | Build)]
    guarded = [x for x in postorder(e) if isinstance(x, Mul) and any(isinstance(a, Iverson) for a in x.args)]
    return any(v in postorder(x) for x in (*binders, *guarded))


def seeds(e: Expr, ranges: Ranges, known: Ranges) -> list[tuple[Expr, Ranges, tuple[Rel, ...]]]:
    """A sum taken apart: each guarded term with the ranges where it counts and the relations no range expresses.

    The terms without a guard come first, as one.
    """
    plain: list[Expr] = []
    out: list[tuple[Expr, Ranges, tuple[Rel, ...]]] = []
    for term in e.args if isinstance(e, Add) else (e,):
        conds = tuple(c for a in term.args if isinstance(a, Iverson) for c in a.conds) if isinstance(term, Mul) else ()
        if isinstance(term, Iverson):
            conds = term.conds
        if not conds:
            plain.append(term)
            continue
        kept = term.args if isinstance(term, Mul) else ()
        rest = b.mul(b.ONE, *(a for a in kept if not isinstance(a, Iverson)))
        cut, left = clip(ranges, conds, known)
        same_place = next((k for k, (_, c, g) in enumerate(out) if c == cut and g == left), None)
        if same_place is None:
            out.append((rest, cut, left))
        else:
            out[same_place] = (b.add(out[same_place][0], rest), cut, left)
    if plain:
        out.insert(0, (b.add(*plain), ranges, ()))
    return out
