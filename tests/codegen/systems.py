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
