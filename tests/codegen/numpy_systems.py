"""Systems written out by hand, forward and backward, as the compiler gets them."""

import sympy

from symgrad.codegen import Leaf, Program
from symgrad.tensor import build as b
from symgrad.tensor.functions import construct
from symgrad.tensor.integers import Int, index_symbol, size_symbol
from symgrad.tensor.nodes import Binder, Expr, Fold, Var
from symgrad.tensor.system import Definition, System

T, n, d, k, m = (size_symbol(s) for s in "Tndkm")
t, s, i, j = (index_symbol(x) for x in "tsij")
STEPS = Binder(t, 1, T)


def vector(name: str, size: Int, *subs: Int) -> Var:
    """A vector of the model."""
    return b.var(name, subs, (size,))


def matrix(name: str, rows: Int, columns: Int, *subs: Int) -> Var:
    """A matrix of the model."""
    return b.var(name, subs, (rows, columns))


def scalar(name: str, *subs: Int) -> Var:
    """A number of the model."""
    return b.var(name, subs)


def until(step: sympy.Expr, last: Int = T) -> Expr:
    """1 where a step exists."""
    return b.iverson(b.rel("<=", step, last))


def total(body: Expr, *binders: Binder) -> Fold:
    """Σ over ranges."""
    made = b.fold("sum", body, binders or (STEPS,))
    assert isinstance(made, Fold)
    return made


def over_steps(family: str, body: Expr, *indices: Int, ranges: tuple[Binder, ...] = (STEPS,)) -> Definition:
    """family[t] = body for all steps."""
    return Definition(family, indices or (t,), body, ranges)


def rnn_forward() -> list[Definition]:
    """h = tanh(U I + W h), softmax at every step, cross-entropy summed over the steps."""
    U, W, V = matrix("U", n, d), matrix("W", n, n), matrix("V", k, n)
    a = b.add(b.matmul(U, vector("I", d, t)), b.matmul(W, vector("h", n, t - 1)))
    return [
        over_steps("a", a),
        over_steps("h", b.apply("tanh", vector("a", n, t))),
        over_steps("z", b.matmul(V, vector("h", n, t))),
        over_steps("yhat", construct.softmax(vector("z", k, t))),
        over_steps("E", construct.cross_entropy(vector("y", k, t), vector("yhat", k, t))),
        Definition("L", (), total(scalar("E", t))),
    ]


RNN_LEAVES = (
    Leaf("I", vector("I", d, t), (STEPS,)),
    Leaf("y", vector("y", k, t), (STEPS,)),
    Leaf("h0", vector("h", n, 0)),
    Leaf("U", matrix("U", n, d)),
    Leaf("W", matrix("W", n, n)),
    Leaf("V", matrix("V", k, n)),
)


def rnn_backward() -> list[Definition]:
    """δ of the vanilla network."""
    W, V, h = matrix("W", n, n), matrix("V", k, n), vector("h", n, t)
    later = b.mul(until(t + 1), b.matmul(b.transpose(W), vector("δa", n, t + 1)))
    return [
        over_steps("δE", b.ONE),
        over_steps("δz", b.mul(scalar("δE", t), b.sub(vector("yhat", k, t), vector("y", k, t)))),
        over_steps("δh", b.add(b.matmul(b.transpose(V), vector("δz", k, t)), later)),
        over_steps("δa", b.mul(b.sub(b.ONE, b.power(h, b.num(2))), vector("δh", n, t))),
    ]


def rnn_gradients() -> dict[str, Expr]:
    """Sums of outer products over the steps."""
    return {
        "W": total(b.outer(vector("δa", n, t), vector("h", n, t - 1))),
        "U": total(b.outer(vector("δa", n, t), vector("I", d, t))),
        "V": total(b.outer(vector("δz", k, t), vector("h", n, t))),
    }


def rnn() -> Program:
    """Backpropagation through time of a vanilla network."""
    system = System((*rnn_forward(), *rnn_backward()), {t: STEPS})
    return Program("a1", system, rnn_gradients(), RNN_LEAVES, about="dL/dW, dL/dU and dL/dV of an RNN")


GATES = "ifog"


def lstm_forward() -> list[Definition]:
    """Four gates with pre-activations, cell and state; the loss reads every h[t]."""
    h, c = vector("h", n, t - 1), vector("c", n, t - 1)
    out: list[Definition] = []
    for g in GATES:
        a = b.add(
            b.matmul(matrix(f"U{g}", n, d), vector("x", d, t)), b.matmul(matrix(f"W{g}", n, n), h), vector(f"b{g}", n)
        )
        out += [
            over_steps(f"a{g}", a),
            over_steps(g, b.apply("tanh" if g == "g" else "sigmoid", vector(f"a{g}", n, t))),
        ]
    gate = {g: vector(g, n, t) for g in GATES}
    return [
        *out,
        over_steps("c", b.add(b.mul(gate["f"], c), b.mul(gate["i"], gate["g"]))),
        over_steps("h", b.mul(gate["o"], b.apply("tanh", vector("c", n, t)))),
        over_steps("e", b.matmul(b.transpose(vector("v", n, t)), vector("h", n, t))),
        Definition("L", (), total(scalar("e", t))),
    ]


def lstm_leaves() -> tuple[Leaf, ...]:
    """The inputs of an LSTM."""
    per_gate = [
        leaf
        for g in GATES
        for leaf in (
            Leaf(f"U{g}", matrix(f"U{g}", n, d)),
            Leaf(f"W{g}", matrix(f"W{g}", n, n)),
            Leaf(f"b{g}", vector(f"b{g}", n)),
        )
    ]
    rows = (Leaf("x", vector("x", d, t), (STEPS,)), Leaf("v", vector("v", n, t), (STEPS,)))
    return (*rows, Leaf("h0", vector("h", n, 0)), Leaf("c0", vector("c", n, 0)), *per_gate)


def lstm_backward() -> list[Definition]:
    """δ of the cell, the state and the four pre-activations."""
    gate = {g: vector(g, n, t) for g in GATES}
    dh, dc, tc = vector("δh", n, t), vector("δc", n, t), b.apply("tanh", vector("c", n, t))
    back = b.add(*(b.matmul(b.transpose(matrix(f"W{g}", n, n)), vector(f"δa{g}", n, t + 1)) for g in GATES))
    kept = b.mul(until(t + 1), vector("δc", n, t + 1), vector("f", n, t + 1))
    into = {
        "i": b.mul(dc, gate["g"]),
        "f": b.mul(dc, vector("c", n, t - 1)),
        "o": b.mul(dh, tc),
        "g": b.mul(dc, gate["i"]),
    }
    slope = {g: b.sub(b.ONE, b.power(x, b.num(2))) if g == "g" else b.mul(x, b.sub(b.ONE, x)) for g, x in gate.items()}
    return [
        over_steps("δh", b.add(vector("v", n, t), b.mul(until(t + 1), back))),
        over_steps("δc", b.add(b.mul(dh, gate["o"], b.sub(b.ONE, b.power(tc, b.num(2)))), kept)),
        *(over_steps(f"δ{g}", into[g]) for g in GATES),
        *(over_steps(f"δa{g}", b.mul(vector(f"δ{g}", n, t), slope[g])) for g in GATES),
    ]


def lstm() -> Program:
    """Backpropagation through time of an LSTM."""
    outputs: dict[str, Expr] = {}
    for g in GATES:
        delta = vector(f"δa{g}", n, t)
        outputs[f"W{g}"] = total(b.outer(delta, vector("h", n, t - 1)))
        outputs[f"U{g}"] = total(b.outer(delta, vector("x", d, t)))
        outputs[f"b{g}"] = total(delta)
    system = System((*lstm_forward(), *lstm_backward()), {t: STEPS})
    return Program("lstm", system, outputs, lstm_leaves(), about="The gradients of an LSTM")


LAGS = Binder(i, 1, 2)


def attention_forward() -> list[Definition]:
    """Each state attends to the two before it: scores, weights, context; h[t] = tanh(U x + W c)."""
    window = (LAGS, STEPS)
    score = b.inner(vector("u", n), b.apply("tanh", vector("q", n, i, t)))
    weights = b.stack(*(scalar("s", r, t) for r in (1, 2)))
    context = b.fold("sum", b.mul(b.at(vector("p", 2, t), i), vector("h", n, t - i)), [LAGS])
    state = b.add(b.matmul(matrix("U", n, d), vector("x", d, t)), b.matmul(matrix("W", n, n), vector("c", n, t)))
    return [
        over_steps("q", b.matmul(matrix("Q", n, n, i), vector("h", n, t - i)), i, t, ranges=window),
        over_steps("s", score, i, t, ranges=window),
        over_steps("p", construct.softmax(weights)),
        over_steps("c", context),
        over_steps("h", b.apply("tanh", state)),
        over_steps("e", b.inner(vector("v", n), vector("h", n, t))),
        Definition("L", (), total(scalar("e", t))),
    ]


def attention_leaves() -> tuple[Leaf, ...]:
    """The inputs; the states before the first are given together."""
    return (
        Leaf("x", vector("x", d, t), (STEPS,)),
        Leaf("h_before", vector("h", n, s), (Binder(s, -1, 0),)),
        Leaf("Q", matrix("Q", n, n, i), (LAGS,)),
        Leaf("U", matrix("U", n, d)),
        Leaf("W", matrix("W", n, n)),
        Leaf("u", vector("u", n)),
        Leaf("v", vector("v", n)),
    )


def attention_backward() -> list[Definition]:
    """δ of states, contexts, weights, scores and queries."""
    window = (LAGS, STEPS)
    p, dp, tq = vector("p", 2, t), vector("δp", 2, t), b.apply("tanh", vector("q", n, i, t))
    later_context = b.mul(b.at(vector("p", 2, t + i), i), vector("δc", n, t + i))
    later_query = b.matmul(b.transpose(matrix("Q", n, n, i)), vector("δq", n, i, t + i))
    inside = b.rel("<=", t + i, T)
    dh = b.add(
        vector("v", n), b.fold("sum", later_context, [LAGS], [inside]), b.fold("sum", later_query, [LAGS], [inside])
    )
    h, c = vector("h", n, t), vector("c", n, t)
    ds = b.mul(p, b.sub(dp, b.inner(p, dp)))
    dq = b.mul(b.at(vector("δs", 2, t), i), vector("u", n), b.sub(b.ONE, b.power(tq, b.num(2))))
    return [
        over_steps("δh", dh),
        over_steps("δa", b.mul(vector("δh", n, t), b.sub(b.ONE, b.power(h, b.num(2))))),
        over_steps("δc", b.matmul(b.transpose(matrix("W", n, n)), vector("δa", n, t))),
        over_steps("δp", b.build(b.inner(vector("h", n, t - i), vector("δc", n, t)), [LAGS])),
        over_steps("δs", ds),
        over_steps("δq", dq, i, t, ranges=window),
        over_steps("spare", c),
    ]


def attention() -> Program:
    """Backpropagation through a recurrence that attends to its last two states."""
    outputs: dict[str, Expr] = {
        "W": total(b.outer(vector("δa", n, t), vector("c", n, t))),
        "U": total(b.outer(vector("δa", n, t), vector("x", d, t))),
        "u": total(b.mul(b.at(vector("δs", 2, t), i), b.apply("tanh", vector("q", n, i, t))), STEPS, LAGS),
        "Q": b.build(total(b.outer(vector("δq", n, i, t), vector("h", n, t - i))), [LAGS]),
    }
    system = System((*attention_forward(), *attention_backward()), {t: STEPS, i: LAGS})
    return Program("attend", system, outputs, attention_leaves(), about="An RNN that attends to h[t-1] and h[t-2]")


def feed_forward() -> Program:
    """Two layers and a softmax with cross-entropy."""
    x, y = vector("x", d), vector("y", k)
    W1, W2, b1, b2 = matrix("W1", n, d), matrix("W2", k, n), vector("b1", n), vector("b2", k)
    a, dz = b.add(b.matmul(W1, x), b1), vector("δz", k)
    definitions = (
        Definition("a", (), a),
        Definition("h", (), b.apply("relu", vector("a", n))),
        Definition("z", (), b.add(b.matmul(W2, vector("h", n)), b2)),
        Definition("yhat", (), construct.softmax(vector("z", k))),
        Definition("L", (), construct.cross_entropy(y, vector("yhat", k))),
        Definition("δz", (), b.sub(vector("yhat", k), y)),
        Definition("δh", (), b.matmul(b.transpose(W2), dz)),
        Definition("δa", (), b.mul(vector("δh", n), b.compare(">", vector("a", n), b.ZERO))),
    )
    outputs = {
        "W1": b.outer(vector("δa", n), x),
        "b1": vector("δa", n),
        "W2": b.outer(dz, vector("h", n)),
        "b2": dz,
        "x": b.matmul(b.transpose(W1), vector("δa", n)),
    }
    leaves = tuple(Leaf(v.name, v) for v in (x, y, W1, W2, b1, b2))
    return Program("layers", System(definitions), outputs, leaves, about="Backpropagation through two layers")
