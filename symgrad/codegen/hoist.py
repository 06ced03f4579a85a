"""What a recurrence computes at every step without needing an earlier one, moved out of its loop.

Each such part becomes a definition of its own, which is then computed for all steps at once.
"""

from collections.abc import Iterable, Sequence

import sympy
from msgspec import Struct, field
from msgspec.structs import replace as changed

from symgrad.codegen.accesses import accesses, guards
from symgrad.codegen.intervals import Ranges, at_most, clip, contains
from symgrad.codegen.model import Model
from symgrad.codegen.plan import Loop, plan
from symgrad.codegen.simplify import exists
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, symbols_of
from symgrad.tensor.nodes import (
    Add,
    Apply,
    Binder,
    Build,
    Call,
    Compare,
    Count,
    Entry,
    Expr,
    Fold,
    Iverson,
    MatMul,
    Mul,
    Num,
    Pow,
    Reduce,
    Transpose,
    Var,
)
from symgrad.tensor.rebuild import rebuild, transform
from symgrad.tensor.reindex import free_ints, reindex
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder

WORK = (Add, Mul, Pow, Apply, Compare, MatMul, Reduce, Fold, Build, Call)
"""What takes computing, rather than picking or another name."""


def hoist(model: Model) -> Model:
    """The model with every loop's independent parts in definitions of their own, before the loop's."""
    taken = model.taken()
    out = list(model.definitions)
    for part in plan(model):
        if not isinstance(part, Loop):
            continue
        families = frozenset(d.family for d in part.members)
        mover = _Mover(model, part.step, families, taken)
        fresh = {m.family: m for m in part.members}
        for k, d in enumerate(out):
            if d.family in families and d.indices == fresh[d.family].indices:
                out[k] = changed(d, body=mover.definition(d))
        first = min(k for k, d in enumerate(out) if d.family in families)
        out = [_reusing(d, mover.made, model.open) if d.family not in families else d for d in out]
        model = changed(model, outputs={k: _in_folds(e, mover.made, model) for k, e in model.outputs.items()})
        out[first:first] = mover.made
    return model.with_definitions(tuple(out))


def _reusing(d: Definition, made: list[Definition], known: Ranges) -> Definition:
    """The definition with parts that have names by now called by them."""
    return changed(d, body=_named(d.body, d.ranges, made, known))


def _in_folds(e: Expr, made: list[Definition], model: Model) -> Expr:
    """An output with the parts of its sums over steps called by name."""

    def rule(node: Expr) -> Expr:
        if not isinstance(node, Fold | Build):
            return node
        body = _named(node.body, node.binders, made, model.open)
        return rebuild(node, (body,)) if body is not node.body else node

    return transform(e, rule)


def _named(body: Expr, ranges: Ranges, made: list[Definition], known: Ranges) -> Expr:
    mapping: dict[Expr, Expr] = {}
    have = {x.symbol: x for x in ranges}
    for d in made:
        inside = all(
            x.symbol in have and contains((x.lo, x.hi), (have[x.symbol].lo, have[x.symbol].hi), known) for x in d.ranges
        )
        if inside and d.ranges and not d.body.row:
            mapping[d.body] = b.var(d.family, d.indices, d.body.shape)
    return replace_nodes(body, mapping)


class _Mover(Struct):
    model: Model
    range: Binder
    families: frozenset[str]
    taken: set[str]
    made: list[Definition] = field(default_factory=list)

    @property
    def step(self) -> sympy.Symbol:
        """The loop's index."""
        return self.range.symbol

    @property
    def known(self) -> Ranges:
        """The ranges of open steps."""
        return self.model.open

    def definition(self, d: Definition) -> Expr:
        """The body with its independent parts as named nodes."""
        ranges, left = clip(d.ranges, d.conds, self.known)
        if left or self.step not in d.indices:
            return d.body
        return self.visit(d.body, d.family, ranges, frozenset())

    def visit(self, e: Expr, family: str, ranges: Ranges, bound: frozenset[sympy.Symbol]) -> Expr:
        if self.independent(e, bound):
            return self.move(e, family, ranges, "part") if _worthwhile(e) else self.inside(e, family, ranges, bound)
        found = guards(e)
        if found and not isinstance(e, Fold):
            ranges, left = clip(ranges, found, self.known)
            if left:
                return e
        if isinstance(e, Add | Mul):
            return self.group(e, family, ranges, bound)
        return self.inside(e, family, ranges, bound)

    def inside(self, e: Expr, family: str, ranges: Ranges, bound: frozenset[sympy.Symbol]) -> Expr:
        if not e.children or (isinstance(e, Fold) and e.conds):
            return e
        if isinstance(e, Fold | Build):
            bound = bound | {x.symbol for x in e.binders}
        children = tuple(self.visit(c, family, ranges, bound) for c in e.children)
        return rebuild(e, children) if children != e.children else e

    def group(self, e: Add | Mul, family: str, ranges: Ranges, bound: frozenset[sympy.Symbol]) -> Expr:
        """The operands that are independent as one part, where the first of them stands."""
        together = [a for a in e.args if self.independent(a, bound) and not isinstance(a, Num | Iverson)]
        if len(together) == 1 and not _worthwhile(together[0]):
            together = []
        part: Expr | None = None
        if together:
            whole = b.add(*together) if isinstance(e, Add) else b.mul(*together)
            if _worthwhile(whole):
                part = self.move(whole, family, ranges, "in" if isinstance(e, Add) else "scale")
        args: list[Expr] = []
        for a in e.args:
            if part is not None and a in together:
                if a is together[0]:
                    args.append(part)
                continue
            independent = self.independent(a, bound) and not isinstance(a, Num | Iverson)
            args.append(a if independent and not a.children else self.visit(a, family, ranges, bound))
        return b.add(*args) if isinstance(e, Add) else b.mul(*args)

    def independent(self, e: Expr, bound: frozenset[sympy.Symbol]) -> bool:
        """Whether an expression reads nothing that the loop computes, and no index bound inside a step."""
        if any(isinstance(x, Var) and x.name in self.families for x in postorder(e)):
            return False
        return not (bound and free_ints(e) & bound)

    def move(self, e: Expr, family: str, ranges: Ranges, role: str) -> Expr:
        """A named node for the part, defined at the step itself where the part is all at one lag."""
        shift = self.shift(e)
        body = reindex(e, {self.step: difference(self.step, shift)})
        free = free_ints(body)
        used = _used(ranges, free)
        mine = self.widest(body, tuple(_moved(x, self.step, shift) for x in used))
        indices = tuple(x.symbol for x in mine)
        for k, d in enumerate(self.made):
            if d.body is body and d.indices == indices:
                joined = self.join(d.ranges, mine)
                if joined is not None:
                    self.made[k] = Definition(d.family, indices, body, joined)
                    return self.node(self.made[k], shift)
        name = unused(f"{family}_{role}", self.taken)
        self.taken.add(name)
        self.made.append(Definition(name, indices, body, mine))
        return self.node(self.made[-1], shift)

    def widest(self, body: Expr, ranges: Ranges) -> Ranges:
        """The ranges with all of the loop's steps, where everything that is read exists at them."""
        wide = tuple(self.range if x.symbol == self.step else x for x in ranges)
        whole = self.join(ranges, wide)
        if whole is None or any(self.step in symbols_of(e) for x in ranges for e in (x.lo, x.hi)):
            return ranges
        reads = accesses(body, whole, (), self.known)
        return whole if all(exists(self.model, a) and not a.guarded for a in reads) else ranges

    def node(self, d: Definition, shift: Int) -> Expr:
        column = b.transpose(d.body) if d.body.row else d.body
        subs = tuple(i + shift if i == self.step else i for i in d.indices)
        made = b.var(d.family, subs, column.shape)
        return b.transpose(made) if d.body.row else made

    def shift(self, e: Expr) -> int:
        """The lag that all of its reads share, else 0."""
        found = {
            difference(s, self.step)
            for x in postorder(e)
            if isinstance(x, Var)
            for s in x.subs
            if self.step in symbols_of(s)
        }
        if any(isinstance(x, Count | Iverson | Entry | Fold) and self.step in free_ints(x) for x in postorder(e)):
            return 0
        only = found.pop() if len(found) == 1 else 0
        return only if isinstance(only, int) else 0

    def join(self, a: Ranges, c: Ranges) -> Ranges | None:
        """One range for both, where one end of each is known to lie beyond the other's."""
        out: list[Binder] = []
        for x, y in zip(a, c, strict=True):
            lows = (x.lo, y.lo) if at_most(x.lo, y.lo, self.known) else (y.lo, x.lo)
            highs = (x.hi, y.hi) if at_most(y.hi, x.hi, self.known) else (y.hi, x.hi)
            if not at_most(*lows, self.known) or not at_most(highs[1], highs[0], self.known):
                return None
            out.append(Binder(x.symbol, lows[0], highs[0]))
        return tuple(out)


def _moved(x: Binder, step: sympy.Symbol, shift: Int) -> Binder:
    return Binder(x.symbol, x.lo + shift, x.hi + shift) if x.symbol == step else x


def _used(ranges: Ranges, free: frozenset[sympy.Symbol]) -> Ranges:
    """The ranges of the symbols in use, and of those that their bounds name."""
    needed = set(free)
    kept: list[Binder] = []
    for x in reversed(ranges):
        if x.symbol in needed:
            kept.append(x)
            needed |= symbols_of(x.lo) | symbols_of(x.hi)
    return tuple(reversed(kept))


def _worthwhile(e: Expr) -> bool:
    """Whether computing it takes more than picking entries or a single number."""
    if isinstance(e, Call) and e.fn in ("diag", "diagpart", "reshape"):
        return False
    if isinstance(e, MatMul) and e.order == 2 and any(a.order == 1 for a in e.args):
        return False
    if isinstance(e, Transpose | Entry):
        return False
    if e.order == 0:
        return any(isinstance(x, MatMul | Apply | Reduce | Fold | Call) for x in postorder(e))
    return isinstance(e, WORK)


def unused(wanted: str, taken: Iterable[str]) -> str:
    """A family name that is free, with a number where it must."""
    names: Sequence[str] = tuple(taken)
    if wanted not in names:
        return wanted
    n = 2
    while f"{wanted}_{n}" in names:
        n += 1
    return f"{wanted}_{n}"
