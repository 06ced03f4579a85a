"""Components counted from 0: the display of a problem with ``index_base: 0``.

Nodes count entries from 1. Here the places are moved by one for the reader, and so are sums that run over entries.
What comes out is for printing alone: its places no longer mean what the nodes say.
"""

from fractions import Fraction

from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, integer, symbols_of
from symgrad.tensor.nodes import At, Binder, Build, Call, Count, Cut, Deriv, Entry, Expr, Fold, Item, Num, Var
from symgrad.tensor.rebuild import rebuild
from symgrad.tensor.reindex import reindex
from symgrad.tensor.walk import postorder


def rebased(root: Expr) -> Expr:
    """The expression as it prints where components are counted from 0."""
    memo: dict[Expr, Expr] = {}
    for x in postorder(root, into=lambda n: not isinstance(n, Fold | Build)):
        if isinstance(x, Fold | Build):
            memo[x] = _binder(x)
            continue
        children = tuple(memo[c] for c in x.children)
        if isinstance(x, Entry):
            memo[x] = Entry(children[0], tuple(_moved(i) for i in x.items), x.shape)
        elif isinstance(x, Call) and x.fn == "one_hot" and isinstance(x.args[0], Num | Count):
            place = x.args[0].value - 1
            memo[x] = Call(x.fn, (b.num(place) if isinstance(place, Fraction) else b.count(place),), x.params, x.shape)
        elif isinstance(x, Deriv):
            memo[x] = Deriv(children[0], children[1], x.kind, x.shape, x.held)
        else:
            memo[x] = rebuild(x, children) if children != x.children else x
    return memo[root]


def _binder(x: Fold | Build) -> Expr:
    body, binders = x.body, []
    for own in x.binders:
        if own.lo == 1 and _picks_entries(own, body):
            body = reindex(body, {own.symbol: own.symbol + 1})
            binders.append(Binder(own.symbol, 0, integer(own.hi - 1)))
        else:
            binders.append(own)
    if isinstance(x, Build):
        return Build(rebased(body), tuple(binders), x.shape)
    return Fold(x.op, rebased(body), tuple(binders), x.conds, x.shape, x.descending)


def _picks_entries(own: Binder, body: Expr) -> bool:
    """Whether an index counts entries and no steps."""
    nodes = postorder(body)
    if any(own.symbol in symbols_of(s) for n in nodes if isinstance(n, Var) for s in n.subs):
        return False
    places = [i for n in nodes if isinstance(n, Entry) for i in n.items]
    return any(own.symbol in symbols_of(v) for i in places for v in _values(i))


def _values(item: Item) -> tuple[Int, ...]:
    match item:
        case At(index=i):
            return (i,)
        case Cut(lo=lo, hi=hi):
            return lo, hi
    return ()


def _moved(item: Item) -> Item:
    match item:
        case At(index=i):
            return At(integer(i - 1))
        case Cut(lo=lo, hi=hi):
            return Cut(integer(lo - 1), integer(hi - 1))
    return item
