"""Named rewrites, each an identity, applied in a fixed order that the form of an answer chooses.

None of them re-sorts: terms stay in the order in which the paths were found, factors in the order of the matrices.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

import sympy

from symgrad.calculus.pullback import sum_entries
from symgrad.calculus.stacking import one_stack
from symgrad.tensor import build as b
from symgrad.tensor.nodes import (
    Add,
    Call,
    Concat,
    Deriv,
    Expr,
    Fold,
    MatMul,
    Mul,
    Num,
    Pow,
    Reduce,
    Transpose,
    Var,
)
from symgrad.tensor.rebuild import rebuild, transform
from symgrad.tensor.reindex import free_ints, renamed_apart
from symgrad.tensor.walk import postorder, variables

MOST_TERMS = 64


def _plain(x: Expr) -> bool:
    return not isinstance(x, Deriv)


# Sums of products


def distribute(root: Expr) -> Expr:
    """Products multiplied out over sums: A (x + y) = A x + A y. Sums inside diag() and functions stay."""
    return transform(root, _distribute, into=lambda x: isinstance(x, Add | MatMul | Mul | Transpose | Fold))


def _distribute(x: Expr) -> Expr:
    if isinstance(x, MatMul):
        return _multiply_out(x, x.args, b.matmul)
    if isinstance(x, Mul):
        scalars = [f for f in x.args if f.order == 0]
        tensors = [f for f in x.args if f.order > 0]
        if len(tensors) == 1 and isinstance(tensors[0], Add) and not any(isinstance(s, Add) for s in scalars):
            return b.add(*(b.mul(*scalars, t) for t in tensors[0].args))
    return x


def multiply_out(root: Expr) -> Expr:
    """Products multiplied out over sums, sums of scalars too: (s + t) v = s v + t v."""

    def rule(x: Expr) -> Expr:
        if isinstance(x, Mul):
            for k, f in enumerate(x.args):
                if isinstance(f, Add) and (f.order == 0 or f.order == x.order) and len(f.args) <= MOST_TERMS:
                    return b.add(*(rule(b.mul(*x.args[:k], t, *x.args[k + 1 :])) for t in f.args))
        return _distribute(x)

    return transform(root, rule, into=lambda x: isinstance(x, Add | MatMul | Mul | Transpose))


def _multiply_out(x: Expr, args: Sequence[Expr], product: Callable[..., Expr]) -> Expr:
    for k, f in enumerate(args):
        if isinstance(f, Add) and all(t.order == f.order for t in f.args) and len(f.args) <= MOST_TERMS:
            terms = [product(*args[:k], t, *args[k + 1 :]) for t in f.args]
            return b.add(*(_distribute(t) for t in terms))
    return x


def factor(root: Expr) -> Expr:
    """Common outer factors taken out of sums of products: A x + A y = A (x + y), x B + y B = (x + y) B."""
    return transform(root, lambda x: _factor(x) if isinstance(x, Add) else x, into=_plain)


def _factor(x: Add) -> Expr:
    if any(t.order != x.order for t in x.args):
        return x
    for side in ("left", "right"):
        groups: dict[Expr, list[Expr]] = {}
        for t in x.args:
            groups.setdefault(_outer_factor(t, side) or t, []).append(t)
        shared = [f for f, ts in groups.items() if len(ts) > 1]
        if not shared:
            continue
        terms: list[Expr] = []
        for f, ts in groups.items():
            if len(ts) == 1:
                terms += ts
                continue
            inner = b.add(*(_without(t, f, side) for t in ts))
            number, inner = _common_number(_factor(inner)) if isinstance(inner, Add) else (b.ONE, inner)
            terms.append(b.mul(number, _combine(f, inner, side)))
        return b.add(*terms)
    return x


def _common_number(x: Expr) -> tuple[Expr, Expr]:
    """A number that all terms of a sum have, but for their signs, and the sum without it: −2 x + 2 y = −2 (x − y)."""
    parts = [b.coefficient(t) for t in x.args] if isinstance(x, Add) else []
    number = parts[0][0] if parts else Fraction(1)
    if abs(number) == 1 or any(abs(c) != abs(number) for c, _ in parts):
        return b.ONE, x
    return b.num(number), b.add(*(b.mul(b.num(c / number), rest) for c, rest in parts))


def size(root: Expr, numbers: bool = True) -> int:
    """The number of names, and of numbers, that the expression shows, written out as a tree."""
    memo: dict[Expr, int] = {}
    for x in postorder(root, into=_plain):
        least = 0 if isinstance(x, Num) and not numbers else 1
        memo[x] = max(least, sum(memo[c] for c in x.children)) if _plain(x) else 2
    return memo[root]


def _combine(f: Expr, inner: Expr, side: str) -> Expr:
    if f.order == 0:
        return b.mul(f, inner)
    return b.matmul(f, inner) if side == "left" else b.matmul(inner, f)


def _outer_factor(t: Expr, side: str) -> Expr | None:
    rest = b.coefficient(t)[1]
    if side == "left" and isinstance(rest, Mul) and rest.args[0].order == 0 and len(rest.args) > 1:
        return rest.args[0]
    if isinstance(rest, Mul) and all(a.order == 0 for a in rest.args[:-1]):
        rest = rest.args[-1]
        if side == "left":
            return None
    if isinstance(rest, MatMul) and len(rest.args) > 1:
        return rest.args[0] if side == "left" else rest.args[-1]
    return None


def _without(t: Expr, f: Expr, side: str) -> Expr:
    number, rest = b.coefficient(t)
    if rest is f:
        return b.mul(b.num(number), b.eye(f.shape[1 if side == "left" else 0])) if f.order else b.num(number)
    if side == "left" and isinstance(rest, Mul) and rest.args[0].order == 0:
        return b.mul(b.num(number), *rest.args[1:])
    scalars: tuple[Expr, ...] = ()
    if isinstance(rest, Mul):
        scalars, rest = rest.args[:-1], rest.args[-1]
    assert isinstance(rest, MatMul)
    kept = rest.args[1:] if side == "left" else rest.args[:-1]
    return b.mul(b.num(number), *scalars, b.matmul(*kept))


def collect(root: Expr) -> Expr:
    """diag(a) + diag(b) = diag(a + b), and −g ⊙ a + g ⊙ b = g ⊙ (b − a); what is added comes first."""
    return transform(root, lambda x: _collect(x) if isinstance(x, Add) else x, into=_plain)


def _collect(x: Add) -> Expr:
    if all(isinstance(t, Concat) for t in x.args):
        return one_stack(x)
    terms = sorted(x.args, key=lambda t: b.coefficient(t)[0] < 0)
    if len(terms) < 2 or any(t.order != x.order for t in terms):
        return x
    parts = [b.coefficient(t) for t in terms]
    if all(is_diag(rest) for _, rest in parts):
        total = b.add(*(b.mul(b.num(c), rest.children[0]) for c, rest in parts))
        return b.diag(_collect(total) if isinstance(total, Add) else total)
    products = [rest.args if isinstance(rest, Mul) else () for _, rest in parts]
    if x.order == 1 and all(products):
        shared = [f for f in products[0] if f.order == 1 and all(f in p for p in products)]
        if shared:
            rests = [
                b.mul(b.num(c), *(f for f in p if f not in shared)) for (c, _), p in zip(parts, products, strict=True)
            ]
            if all(r.order == 1 for r in rests):
                return b.mul(*shared, b.add(*rests))
    return x


def common_scalars(root: Expr) -> Expr:
    """Scalar factors that every term of a sum of tensors has, taken out of it: s u − s² v = s (u − s v)."""
    return transform(root, lambda x: _common_scalars(x) if isinstance(x, Add) and x.order else x, into=_plain)


def _common_scalars(x: Add) -> Expr:
    shared: dict[Expr, int] | None = None
    for t in x.args:
        own = _scalar_powers(t)
        shared = own if shared is None else _shared(shared, own)
    if len(x.args) < 2 or any(t.order != x.order for t in x.args):
        return x
    numbers = [b.coefficient(t)[0] for t in x.args]
    equal = len({abs(n) for n in numbers}) == 1 and abs(numbers[0]) != 1
    number = b.num(max(numbers, key=lambda n: (abs(n), n)) if equal else 1)
    if not shared and number is b.ONE:
        return x
    common = [b.power(f, b.num(n)) for f, n in (shared or {}).items()]
    inverse = [b.power(f, b.MINUS_ONE) for f in (number, *common)]
    return b.mul(number, *common, b.add(*(b.mul(*inverse, t) for t in x.args)))


def _shared(first: Mapping[Expr, int], second: Mapping[Expr, int]) -> dict[Expr, int]:
    """The powers that both have: the lower one, those below a line apart from those above it."""
    both = {f: (n, second[f]) for f, n in first.items() if f in second}
    return {f: min(n, m, key=abs) for f, (n, m) in both.items() if (n > 0) == (m > 0)}


def _scalar_powers(t: Expr) -> dict[Expr, int]:
    out: dict[Expr, int] = {}
    for f in t.args if isinstance(t, Mul) else ():
        base, exponent = (f.base, f.exponent) if isinstance(f, Pow) else (f, b.ONE)
        whole = isinstance(exponent, Num) and exponent.value.denominator == 1
        if f.order == 0 and not isinstance(f, Num) and whole and isinstance(exponent, Num):
            out[base] = int(exponent.value)
    return out


def softmax_jacobian(root: Expr) -> Expr:
    """diag(p) (g − pᵀg) in a product written as (diag(p) − p pᵀ) g, and so p ⊙ (g − pᵀg)."""

    def rule(x: Expr) -> Expr:
        args = x.args if isinstance(x, MatMul | Mul) else ()
        for k, (left, right) in enumerate(pairwise(args)):
            p = left.children[0] if isinstance(x, MatMul) and is_diag(left) else left
            if p.order != 1 or right.order != 1 or (p is left and isinstance(x, MatMul)):
                continue
            if isinstance(right, Add) and len(right.args) == 2 and right.args[1] is b.neg(b.inner(p, right.args[0])):
                jacobian = b.sub(b.diag(p), b.outer(p, p))
                made = (*args[:k], b.matmul(jacobian, right.args[0]), *args[k + 2 :])
                return b.matmul(*made) if isinstance(x, MatMul) else b.mul(*made)
        return x

    return transform(root, rule, into=_plain)


def merge_diagonals(root: Expr) -> Expr:
    """diag(a) diag(b) = diag(a ⊙ b), neighbours in a product."""

    def rule(x: Expr) -> Expr:
        if not isinstance(x, MatMul):
            return x
        out: list[Expr] = []
        for f in x.args:
            if out and is_diag(f) and is_diag(out[-1]):
                out[-1] = b.diag(b.mul(out[-1].children[0], f.children[0]))
            else:
                out.append(f)
        return b.matmul(*out)

    return transform(root, rule, into=_plain)


def is_diag(x: Expr) -> bool:
    """Whether an expression is diag(u)."""
    return isinstance(x, Call) and x.fn == "diag"


def entry_by_entry(root: Expr) -> Expr:
    """diag(d) x = d ⊙ x, in products that end in a vector: A diag(d) B x = A (d ⊙ (B x))."""

    def rule(x: Expr) -> Expr:
        if not isinstance(x, MatMul) or x.args[-1].order != 1 or x.args[-1].row:
            return x
        vector, waiting = x.args[-1], list(x.args[:-1])
        while waiting:
            f = waiting.pop()
            vector = b.mul(f.children[0], vector) if is_diag(f) else b.matmul(f, vector)
        return vector

    return transform(root, rule, into=_plain)


def as_diagonal(root: Expr, g: Var, name: Callable[[Expr], Expr] = b.diag) -> Expr:
    """d ⊙ (A g) written as diag(d) A g: the factors entry by entry beside the adjoint become diagonal matrices.

    Args:
        root: an expression linear in the vector g.
        g: the adjoint.
        name: makes the diagonal matrix of a vector, by its name where it has one.
    """
    holds = {x for x in postorder(root) if any(c is g for c in postorder(x))}
    memo: dict[Expr, Expr] = {}
    for x in postorder(root):
        if x not in holds or not x.children:
            memo[x] = x
            continue
        children = tuple(memo[c] for c in x.children)
        if isinstance(x, Mul) and x.order == 1 and not x.row:
            cores = [k for k, c in enumerate(x.children) if c in holds]
            weights = [c for k, c in enumerate(children) if k not in cores and c.order == 1 and not b.is_one(c)]
            scalars = [c for k, c in enumerate(children) if k not in cores and c.order == 0]
            if len(cores) == 1 and weights and children[cores[0]].order == 1:
                memo[x] = b.mul(*scalars, b.matmul(name(b.mul(*weights)), children[cores[0]]))
                continue
        memo[x] = rebuild(x, children) if children != x.children else x
    return memo[root]


def dummies_apart(root: Expr, taken: Iterable[sympy.Symbol] = ()) -> Expr:
    """Sums over other indices than those that are free, or taken: x_i − Σ_k x_k."""
    free = frozenset(taken) | free_ints(root)
    return transform(root, lambda x: renamed_apart(x, free), into=_plain)


def known_totals(root: Expr, body: Callable[[Var], Expr | None]) -> Expr:
    """Σ_i t_i = 1 for a vector that is defined as a mixture of distributions, as smoothed labels are."""

    def rule(x: Expr) -> Expr:
        if not (isinstance(x, Reduce) and x.op == "sum" and isinstance(x.arg, Var) and x.arg.order == 1):
            return x
        made = body(x.arg)
        return b.ONE if made is not None and _multiplied(sum_entries(made)) is b.ONE else x

    return transform(root, rule, into=_plain)


def _multiplied(x: Expr) -> Expr:
    """A sum of scalars with its products multiplied out."""
    return multiply_out(b.add(*(multiply_out(t) for t in x.args))) if isinstance(x, Add) else x


def fold_definitions(root: Expr, bodies: Mapping[Expr, Var]) -> Expr:
    """Expressions that are the body of a definition replaced by the name: Σ_i a_i v_i = h_t."""

    sums = _named_sums(bodies)

    def rule(x: Expr) -> Expr:
        if x in bodies:
            return bodies[x]
        if x in sums:
            return sums[x]
        if isinstance(x, Add):
            return _fold_sum(x, bodies)
        return x

    return transform(root, rule, into=_plain)


def _named_sums(bodies: Mapping[Expr, Var]) -> dict[Expr, Expr]:
    """Σ_i x_i = n μ, where a definition says that μ is the mean."""
    out: dict[Expr, Expr] = {}
    for body, name in bodies.items():
        if isinstance(body, Mul) and not body.order:
            totals = [f for f in body.args if isinstance(f, Reduce) and f.op == "sum"]
            others = [f for f in body.args if f not in totals]
            if len(totals) == 1 and all(not variables(f) for f in others):
                out[totals[0]] = b.div(name, b.mul(*others))
    return out


def _fold_sum(x: Add, bodies: Mapping[Expr, Var]) -> Expr:
    """A sum that contains all terms of a defined sum, up to one common factor of the whole."""
    for body, name in bodies.items():
        if not isinstance(body, Add) or len(body.args) > len(x.args) or body.shape != x.shape:
            continue
        for sign in (1, -1):
            wanted = {b.mul(b.num(sign), t) for t in body.args}
            if wanted <= set(x.args):
                rest = [t for t in x.args if t not in wanted]
                return b.add(*rest, b.mul(b.num(sign), name))
    return x
