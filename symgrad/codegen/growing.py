"""Arrays whose shape depends on the index of a sum, in definitions of their own: each is computed once, at its step.

Such terms cannot stand along an axis: Σ_k (a_k ⊙ b_k)[t], where a_k has k entries, would compute a_k ⊙ b_k anew for
every t. As c_k = a_k ⊙ b_k it is one row after the other, and the sum is one over a column of c.
"""

import sympy
from msgspec import Struct, field
from msgspec.structs import replace as changed

from symgrad.codegen.accesses import accesses
from symgrad.codegen.hoist import WORK, unused
from symgrad.codegen.intervals import Ranges, extreme, largest, smallest
from symgrad.codegen.model import Model
from symgrad.codegen.simplify import exists
from symgrad.tensor import build as b
from symgrad.tensor.integers import symbols_of
from symgrad.tensor.nodes import Binder, Build, Expr, Fold, Var
from symgrad.tensor.rebuild import rebuild
from symgrad.tensor.reindex import free_ints, reindex
from symgrad.tensor.system import Definition


def named_by_step(model: Model) -> Model:
    """The model with every growing part of a sum's term as a family over the sum's index."""
    namer = _Namer(model, model.taken())
    definitions = [changed(d, body=namer.visit(d.body, d.ranges, frozenset(), d.family)) for d in model.definitions]
    outputs = {k: namer.visit(e, (), frozenset(), "value") for k, e in model.outputs.items()}
    return changed(model, definitions=(*definitions, *namer.made), outputs=outputs)


class _Namer(Struct):
    model: Model
    taken: set[str]
    made: list[Definition] = field(default_factory=list)

    def visit(self, e: Expr, ranges: Ranges, summed: frozenset[sympy.Symbol], family: str) -> Expr:
        """The expression with its growing parts as named nodes; ``summed`` are the indices of the sums around it."""
        if isinstance(e, WORK) and any(symbols_of(n) & summed for n in e.shape):
            named = [k for k, x in enumerate(ranges) if x.symbol in free_ints(e)]
            found = self.named(e, ranges, named[0], family) if len(named) == 1 else None
            if found is not None:
                return found
        if not e.children:
            return e
        if isinstance(e, Fold | Build):
            ranges = (*ranges, *e.binders)
            summed |= {x.symbol for x in e.binders} if isinstance(e, Fold) else set()
        children = tuple(self.visit(c, ranges, summed, family) for c in e.children)
        return rebuild(e, children) if children != e.children else e

    def named(self, e: Expr, ranges: Ranges, place: int, family: str) -> Expr | None:
        """The node that holds the expression over one of the ranges; None where it may not exist at every step."""
        x = ranges[place]
        lo, hi = extreme(x.lo, ranges[:place], upper=False), extreme(x.hi, ranges[:place], upper=True)
        if lo is None or hi is None:
            return None
        column = b.transpose(e) if e.row else e
        whole = Binder(x.symbol, lo, hi)
        node = self.known(column, whole) or (self.fresh(column, whole, family) if self.exists(e, whole) else None)
        return node and (b.transpose(node) if e.row else node)

    def exists(self, e: Expr, x: Binder) -> bool:
        """Whether all that an expression reads is there over a range."""
        return all(exists(self.model, a) and not a.guarded for a in accesses(e, (x,), (), self.model.open))

    def known(self, e: Expr, x: Binder) -> Var | None:
        """A family that is there already, its range made to take in both."""
        for k, d in enumerate(self.made):
            (own,) = d.ranges
            if reindex(d.body, {own.symbol: x.symbol}) is not e:
                continue
            lo, hi = smallest((own.lo, x.lo), self.model.open), largest((own.hi, x.hi), self.model.open)
            if self.exists(e, Binder(x.symbol, lo, hi)):
                self.made[k] = changed(d, ranges=(Binder(own.symbol, lo, hi),))
                return b.var(d.family, (x.symbol,), e.shape)
        return None

    def fresh(self, e: Expr, x: Binder, family: str) -> Var:
        name = unused(f"{family}_part", self.taken)
        self.taken.add(name)
        self.made.append(Definition(name, (x.symbol,), e, (x,)))
        return b.var(name, (x.symbol,), e.shape)
