"""Ways to a limit by cases: conditions settled near the point, either side, the sign of a symbol."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from symgrad.derivation.limits.search import Found, Search
from symgrad.derivation.signs import sign
from symgrad.derivation.simplification import simplified
from symgrad.derivation.steps import Prose, Reason
from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.comparisons import HOLDS
from symgrad.tensor.facts import ends
from symgrad.tensor.nodes import Apply, Compare, Expr, Var
from symgrad.tensor.spelling import describe_node
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder, variables

Limit = Callable[[Expr], Expr | None]
_SIGNED = frozenset({"positive", "probability", "integer", "index"})


def by_conditions(search: Search, left: Expr, f: Expr) -> Found | None:
    """where(condition, a, b) with a condition that is settled near the limit point."""
    settled = _settled(f, search.at.var, search.at.point, search.at.side, search.part)
    if settled is f:
        return None
    value = settled if search.at.var not in variables(settled) else search.part(settled)
    if value is None:
        return None
    reason: Reason = ("the condition is settled near the limit point",)
    sides = () if search.at.var not in variables(settled) else (search.at.of(settled),)
    return value, [search.line(left, *sides, value, reason=reason, boxed=True)]


def by_sides(search: Search, left: Expr, f: Expr) -> Found | None:
    """From both sides, where each has its own way."""
    if search.at.side or search.at.infinite:
        return None
    above, below = (search.part(f, side=s) for s in "+-")
    if above is None or below is None:
        return None
    if above is not below:
        texts = (describe_node(below), describe_node(above))
        raise QuestionError(f"there is no limit: it is {texts[0]} from below and {texts[1]} from above")
    return above, [search.line(left, above, reason=("the same from both sides",), boxed=True)]


def by_signs(search: Search, left: Expr, f: Expr) -> Found | None:
    """By the sign of a symbol, each case by itsearch."""
    if f.order:
        return None
    for split in _splits(f, search.at.var, search.part):
        x = split.symbol
        rows = ((">", split.above), ("==", split.at_zero), ("<", split.below))
        words: Reason = ("By the sign of ", x, ": the limit is ")
        for k, (op, value) in enumerate(rows):
            words = (*words, *([", "] if k else []), value, " where ", b.compare(op, x, b.ZERO))
        whole = split.whole
        return whole, [Prose((*words, ".")), search.line(left, whole, reason=("the cases in one",), boxed=True)]
    return None


class _Split(Struct, frozen=True):
    """A limit by the sign of a symbol."""

    symbol: Var
    above: Expr
    at_zero: Expr
    below: Expr

    @property
    def whole(self) -> Expr:
        """The three cases in one expression; as relu, |x| or sign x where they are those."""
        x, zero = self.symbol, b.ZERO
        if self.above is self.below and self.at_zero is replace_nodes(self.above, {x: zero}):
            return self.above
        for name in ("relu", "abs", "sign"):
            f = b.apply(name, x)
            if [_at(f, x, s) for s in (1, 0, -1)] == [self.above, self.at_zero, self.below]:
                return f
        positive = b.compare(">", x, zero)
        if self.at_zero is replace_nodes(self.below, {x: zero}):
            return b.apply("where", positive, self.above, self.below)
        if self.at_zero is replace_nodes(self.above, {x: zero}):
            return b.apply("where", b.compare(">=", x, zero), self.above, self.below)
        rest = b.apply("where", b.compare("<", x, zero), self.below, self.at_zero)
        return b.apply("where", positive, self.above, rest)


def _at(f: Apply | Expr, x: Var, s: int) -> Expr:
    """relu x, |x| or sign x for an x of a sign."""
    assert isinstance(f, Apply)
    return {"relu": (b.ZERO, x)[s > 0], "abs": b.mul(b.num(s), x), "sign": b.num(s)}[f.fn]


def _splits(f: Expr, var: Var, limit: Limit) -> Iterator[_Split]:
    """The limits by the sign of each symbol of which no sign is known, where all three are found."""
    for x in dict.fromkeys(variables(f)):
        if x is var or x.order or x.facts & _SIGNED or ends(x.facts) != (None, None):
            continue
        size = Var(f"size of {x.name}", x.subs, (), frozenset({"positive"}))
        above, at_zero, below = (_short(limit(replace_nodes(f, {x: at}))) for at in (size, b.ZERO, b.neg(size)))
        if above is not None and at_zero is not None and below is not None:
            yield _Split(x, replace_nodes(above, {size: x}), at_zero, replace_nodes(below, {size: b.neg(x)}))


def _short(value: Expr | None) -> Expr | None:
    return value if value is None else ([value] + [x for x, _ in simplified(value)])[-1]


def _settled(f: Expr, var: Var, point: Expr, side: str, limit: Limit) -> Expr:
    """The expression with each comparison that mentions the variable decided by the limit of its two sides."""
    values: dict[Expr, Expr] = {}
    for c in postorder(f):
        if isinstance(c, Compare) and not c.order and var in variables(c):
            gap = limit(b.sub(c.left, c.right))
            known = 0 if gap is None else sign(gap)
            if gap is not None and b.is_zero(gap) and side:
                slope = limit(b.div(b.sub(c.left, c.right), b.sub(var, point)))
                known = 0 if slope is None else sign(slope) * (1 if side == "+" else -1)
            if known:
                values[c] = b.ONE if HOLDS[c.op](known, 0) else b.ZERO
    if not values:
        return f

    def chosen(x: Expr) -> Expr:
        match x:
            case Apply("where", (condition, yes, no)) if condition in values:
                return yes if values[condition] is b.ONE else no
        return x

    memo: dict[Expr, Expr] = {x: chosen(x) for x in postorder(f) if chosen(x) is not x}
    return replace_nodes(replace_nodes(f, memo), values)
