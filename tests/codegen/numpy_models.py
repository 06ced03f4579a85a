"""Forward models of many shapes, each with the adjoints that symgrad derives for it."""

from collections.abc import Iterable, Sequence

import sympy
from numpy_systems import (
    RNN_LEAVES,
    STEPS,
    T,
    d,
    i,
    j,
    k,
    m,
    matrix,
    n,
    over_steps,
    rnn_forward,
    s,
    scalar,
    t,
    total,
    vector,
)

from symgrad.calculus.adjoint import adjoint_equations
from symgrad.codegen import Leaf, Program
from symgrad.tensor import build as b
from symgrad.tensor.functions import construct
from symgrad.tensor.integers import index_symbol
from symgrad.tensor.nodes import At, Binder, Expr, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.system import Definition, System

p, q, r, c = (index_symbol(x) for x in "pqrc")
LOSS = scalar("L")


def delta(v: Var) -> Var:
    """The adjoint of a node."""
    return Var(f"δ{v.name}", v.subs, v.shape)


def gradient(
    name: str,
    forward: Sequence[Definition],
    leaves: Sequence[Leaf],
    wrt: Iterable[Var],
    of: Var = LOSS,
    steps: dict[sympy.Symbol, Binder] | None = None,
    integers: tuple[sympy.Symbol, ...] = (),
    constant: Sequence[Definition] = (),
) -> Program:
    """∂of/∂wrt for every wrt, by the adjoint equations of the model; nothing flows into what is constant."""
    system = System(tuple(forward), steps or {t: STEPS})
    wrt = tuple(wrt)
    outputs: dict[str, Expr] = {}
    more: list[Definition] = list(constant)
    names = {w.name for w in wrt}
    for e in adjoint_equations(system, of, wrt, delta):
        if e.node.name in names:
            outputs[e.node.name] = b.build(e.total, e.ranges) if e.ranges else e.total
        else:
            more.append(Definition(f"δ{e.node.name}", e.node.subs, e.total, e.ranges))
    return Program(name, system.extended(more), outputs, tuple(leaves), integers)


def value(name: str, forward: Sequence[Definition], leaves: Sequence[Leaf], of: Expr = LOSS) -> Program:
    """The value of a node alone."""
    return Program(name, System(tuple(forward), {t: STEPS}), of, tuple(leaves))


U, W, V, A = matrix("U", n, d), matrix("W", n, n), matrix("V", k, n), matrix("A", n, n)
X = Leaf("x", vector("x", d, t), (STEPS,))
H0, H1 = Leaf("h0", vector("h", n, 0)), Leaf("h_m1", vector("h", n, -1))
READ = [over_steps("e", b.inner(vector("v", n), vector("h", n, t))), Definition("L", (), total(scalar("e", t)))]


def leaf(v: Var, *ranges: Binder) -> Leaf:
    """An argument of the node's own name."""
    return Leaf(v.name, v, ranges)


def plain_rnn() -> Program:
    """No pre-activation of its own."""
    state = b.apply("tanh", b.add(b.matmul(U, vector("I", d, t)), b.matmul(W, vector("h", n, t - 1))))
    forward = [over_steps("h", state), *[x for x in rnn_forward() if x.family not in ("a", "h")]]
    return gradient("plain", forward, RNN_LEAVES, (U, W, V))


def second_order() -> Program:
    """h[t] from h[t-1] and h[t-2], two boundary values."""
    inner = b.add(
        b.matmul(U, vector("x", d, t)), b.matmul(W, vector("h", n, t - 1)), b.matmul(A, vector("h", n, t - 2))
    )
    forward = [over_steps("h", b.apply("tanh", inner)), *READ]
    leaves = (X, H0, H1, leaf(U), leaf(W), leaf(A), leaf(vector("v", n)))
    return gradient("second_order", forward, leaves, (U, W, A, vector("v", n)))


def many_lags() -> Program:
    """h[t] = tanh(U x[t] + Σ_i A_i h[t-i]), i = 1..m, zero before the start."""
    lags = Binder(i, 1, m)
    family = matrix("A", n, n, i)
    past = b.fold("sum", b.matmul(family, vector("h", n, t - i)), [lags])
    forward = [
        over_steps("h", b.apply("tanh", b.add(b.matmul(U, vector("x", d, t)), past))),
        *READ,
    ]
    leaves = (X, leaf(family, lags), leaf(U), leaf(vector("v", n)))
    before = Definition("h", (s,), b.zeros((n,)), (Binder(s, 1 - m, 0),))
    return gradient("many_lags", forward, leaves, (U, vector("v", n)), steps={t: STEPS, i: lags}, constant=[before])


def two_ways() -> Program:
    """A state that runs forward and one that runs backward, read together."""
    B = matrix("B", n, n)
    ahead = b.add(b.matmul(U, vector("x", d, t)), b.matmul(W, vector("h", n, t - 1)))
    out = b.inner(vector("v", n), b.mul(vector("h", n, t), vector("g", n, t)))
    A_in = matrix("A", n, d)
    behind = b.add(b.matmul(A_in, vector("x", d, t)), b.matmul(B, vector("g", n, t + 1)))
    forward = [
        over_steps("h", b.apply("tanh", ahead)),
        over_steps("g", b.apply("sigmoid", behind)),
        over_steps("e", out),
        Definition("L", (), total(scalar("e", t))),
    ]
    leaves = (X, H0, Leaf("g_end", vector("g", n, T + 1)), leaf(U), leaf(W), leaf(A_in), leaf(B), leaf(vector("v", n)))
    return gradient("two_ways", forward, leaves, (U, W, A_in, B))


def layered() -> Program:
    """h[l, t] from the layer below and the step before."""
    layer = index_symbol("l")
    layers = Binder(layer, 1, m)
    below, before = vector("h", n, layer - 1, t), vector("h", n, layer, t - 1)
    W_l, R_l = matrix("W", n, n, layer), matrix("R", n, n, layer)
    state = b.apply("tanh", b.add(b.matmul(W_l, below), b.matmul(R_l, before)))
    loss = b.fold("sum", b.inner(vector("v", n), vector("h", n, m, t)), [STEPS])
    forward = [
        Definition("h", (0, t), vector("x", n, t), (STEPS,)),
        Definition("h", (layer, t), state, (layers, STEPS)),
        Definition("L", (), loss),
    ]
    leaves = (
        Leaf("x", vector("x", n, t), (STEPS,)),
        Leaf("h0", vector("h", n, layer, 0), (layers,)),
        leaf(W_l, layers),
        leaf(R_l, layers),
        leaf(vector("v", n)),
    )
    wrt = (vector("v", n),)
    return gradient("layered", forward, leaves, wrt, steps={t: STEPS, layer: layers})


def convolution() -> Program:
    """f[r] = Σ x[k + 2(r − 1), c] w[c, k], squared and summed."""
    x, w = matrix("x", 2 * n + 1, d), b.var("w", shape=(m, d, 3))
    entry = b.mul(b.at(x, i + 2 * (r - 1), c), b.at(w, j, c, i))
    body = b.build(b.fold("sum", entry, [Binder(c, 1, d), Binder(i, 1, 3)]), [Binder(j, 1, m), Binder(r, 1, n)])
    forward = [
        Definition("f", (), body),
        Definition("g", (), b.apply("relu", matrix("f", m, n))),
        Definition("L", (), b.reduce("sum", b.power(matrix("g", m, n), b.num(2)))),
    ]
    return gradient("convolution", forward, (leaf(x), leaf(w)), (x, w))


def hinge() -> Program:
    """Σ_j max(0, s_j − s_c + 1) over j ≠ c."""
    scores = vector("s", k)
    right = 2
    term = b.apply("max", b.ZERO, b.add(b.at(scores, j), b.neg(b.at(scores, right)), b.ONE))
    forward = [
        Definition("s", (), b.matmul(V, vector("x", n))),
        Definition("L", (), b.fold("sum", term, [Binder(j, 1, k)], [b.rel("!=", j, right)])),
    ]
    return gradient("hinge", forward, (leaf(vector("x", n)), leaf(V)), (V, vector("x", n)))


def at_one_step() -> Program:
    """∂E[t]/∂W at an open step: the recurrence ends there."""
    fixed = rnn_forward()[:-1]
    ended = [_until_open(x) for x in fixed]
    of = scalar("E", t)
    return gradient("at_one_step", ended, RNN_LEAVES, (W, U, V), of=of, integers=(t,))


def _until_open(x: Definition) -> Definition:
    body = reindex(x.body, {t: s})
    return Definition(x.family, (s,), body, (Binder(s, 1, t),))


def jacobian() -> Program:
    """∂h[T]/∂h[0], one backward pass for each row, all at once."""
    rows = Binder(i, 1, n)
    seed = b.mul(b.iverson(b.rel("==", t, T)), b.entry(b.eye(n), [At(i)]))
    back = b.mul(b.iverson(b.rel("<=", t + 1, T)), b.matmul(b.transpose(W), vector("δa", n, i, t + 1)))
    slope = b.sub(b.ONE, b.power(vector("h", n, t), b.num(2)))
    more = [
        over_steps("δh", b.add(seed, back), i, t, ranges=(rows, STEPS)),
        over_steps("δa", b.mul(vector("δh", n, i, t), slope), i, t, ranges=(rows, STEPS)),
    ]
    system = System((*rnn_forward()[:2], *more), {t: STEPS})
    output = b.build(b.matmul(b.transpose(W), vector("δa", n, i, 1)), [rows])
    leaves = tuple(x for x in RNN_LEAVES if x.argument in ("I", "h0", "U", "W"))
    return Program("jacobian", system, output, leaves)


def opaque() -> Program:
    """An unknown loss of every state."""
    loss = b.opaque("loss", [vector("h", n, t)], [STEPS])
    state = b.add(b.matmul(U, vector("x", d, t)), b.matmul(W, vector("h", n, t - 1)))
    forward = [over_steps("h", b.apply("tanh", state)), Definition("L", (), loss)]
    given = Leaf("d_L_d_h", b.deriv(LOSS, vector("h", n, t), "immediate"), (STEPS,))
    return gradient("opaque", forward, (X, H0, leaf(U), leaf(W), given), (U, W))


def pooled() -> Program:
    """A maximum and a product over the steps."""
    peak = b.fold("max", scalar("e", t), [STEPS])
    forward = [
        over_steps("e", b.apply("sin", b.inner(vector("v", d), vector("x", d, t)))),
        Definition("L", (), b.add(peak, b.fold("prod", scalar("e", t), [STEPS]))),
    ]
    return gradient("pooled", forward, (X, leaf(vector("v", d))), (vector("v", d),))


def softmax_rows() -> Program:
    """softmax of every row of a matrix, its logarithm averaged with weights."""
    x, y = matrix("x", n, d), matrix("y", n, k)
    w = matrix("w", k, d)
    forward = [
        Definition("z", (), b.matmul(x, b.transpose(w))),
        Definition("p", (), construct.softmax(matrix("z", n, k), 1)),
        Definition("L", (), construct.cross_entropy(y, matrix("p", n, k))),
    ]
    leaves = (leaf(x), Leaf("y", b.var("y", shape=(n, k), facts=("probability",))), leaf(w))
    return gradient("softmax_rows", forward, leaves, (w, x))


MODELS = (
    plain_rnn, second_order, many_lags, two_ways, layered, convolution, hinge, at_one_step, jacobian, opaque,
    pooled, softmax_rows,
)  # fmt: skip
