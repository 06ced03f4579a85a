"""From problem files to typed nodes: whole systems, compared with nodes built by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy

from symgrad.errors import QuestionError
from symgrad.problem.elaborate import load_problem
from symgrad.problem.model import Asked, Pending, Problem
from symgrad.tensor import build as b
from symgrad.tensor.functions import construct
from symgrad.tensor.integers import index_symbol, same, size_symbol
from symgrad.tensor.nodes import At, Binder, Compare, Const, Cut, Expr, Num, Opaque, Pick, Rel
from symgrad.tensor.system import Definition

BPTT = """
title: Backpropagation through time
about: A vanilla RNN with a cross-entropy loss at every step.       # Markdown, $math$ allowed
symbols:
  I[t]: {shape: d}
  y[t]: {shape: k, is: one-hot}
  h[0]: {shape: n}
  U: {shape: [n, d]}
  W: {shape: [n, n]}
  V: {shape: [k, n], latex: \\mathcal V}
steps: {t: 1..3}
model:
  - h[t] = tanh(U @ I[t] + W @ h[t-1])
  - z[t] = V @ h[t]
  - yhat[t] = softmax(z[t])
  - E[t] = cross_entropy(y[t], yhat[t])
  - L = sum(E[t], t=1..3)
questions:
  - {id: a1, ask: derivative, of: "E[1]", wrt: [W, U, V], points: 2, note: n, hint: h, prompt: p}
  - {id: total, ask: derivative, of: L, wrt: [W, U, V], form: backprop}
  - {id: jac, ask: derivative, of: "h[t]", wrt: "h[s-1]", where: "1 <= s < t"}
"""

d, k, n, T, K = (size_symbol(name) for name in "dknTK")
t, i, j, r, c = (index_symbol(name) for name in "tijrc")


@pytest.fixture(scope="module")
def bptt() -> Problem:
    return load_problem(BPTT)


def test_the_system_of_the_whole_example(bptt: Problem) -> None:
    steps = Binder(t, 1, 3)
    probability = {"probability"}
    U, W, V = b.var("U", (), (n, d)), b.var("W", (), (n, n)), b.var("V", (), (k, n))
    h, h_before, z = b.var("h", (t,), (n,)), b.var("h", (t - 1,), (n,)), b.var("z", (t,), (k,))
    y, yhat = b.var("y", (t,), (k,), {"one-hot"}), b.var("yhat", (t,), (k,), probability)
    state = b.apply("tanh", b.add(b.matmul(U, b.var("I", (t,), (d,))), b.matmul(W, h_before)))
    assert bptt.system.definitions == (
        Definition("h", (t,), state, (steps,)),
        Definition("z", (t,), b.matmul(V, h), (steps,)),
        Definition("yhat", (t,), construct.softmax(z), (steps,), (), frozenset(probability)),
        Definition("E", (t,), construct.cross_entropy(y, yhat), (steps,)),
        Definition("L", (), b.fold("sum", b.var("E", (t,)), [steps])),
    )
    assert bptt.steps == {t: steps}
    assert bptt.sizes == {"d": d, "k": k, "n": n}
    assert bptt.latex == {"V": "\\mathcal V"}


def test_what_is_given_in_the_whole_example(bptt: Problem) -> None:
    assert [(x.name, x.pattern, x.shape, x.ranges) for x in bptt.leaves] == [
        ("I", (t,), (d,), (Binder(t, 1, 3),)),
        ("y", (t,), (k,), (Binder(t, 1, 3),)),
        ("h", (0,), (n,), ()),
        ("U", (), (n, d), ()),
        ("W", (), (n, n), ()),
        ("V", (), (k, n), ()),
    ]
    assert bptt.node("h", 2) is b.var("h", (2,), (n,))
    assert bptt.node("h", 0) is b.var("h", (0,), (n,))
    assert bptt.node("yhat", t) is b.var("yhat", (t,), (k,), {"probability"})
    with pytest.raises(KeyError):
        bptt.node("nobody")


def test_the_questions_of_the_whole_example(bptt: Problem) -> None:
    a1, total, jac = bptt.questions
    assert (a1.of.expr, a1.of.text) == (b.var("E", (1,)), "E[1]")
    assert [(w.expr, w.text) for w in a1.wrt] == [
        (b.var("W", (), (n, n)), "W"),
        (b.var("U", (), (n, d)), "U"),
        (b.var("V", (), (k, n)), "V"),
    ]
    assert (a1.wrt_is_list, jac.wrt_is_list, a1.form, total.form, jac.order) == (True, False, None, "backprop", 1)
    assert (a1.points, a1.note, a1.hint, a1.prompt) == (2, "n", "h", "p")
    s = index_symbol("s")
    assert jac.wrt[0].expr is b.var("h", (s - 1,), (n,))
    assert jac.where == (Rel("<=", 1, s), Rel("<", s, t))
    assert bptt.question("jac") is jac


def body(yaml: str, name: str) -> Expr:
    """The body of the last definition of a name."""
    return [x for x in load_problem(yaml).system.definitions if x.family == name][-1].body


def model(*lines: str, symbols: str = "", steps: str = "", more: str = "") -> str:
    """A problem file."""
    definitions = "".join(f"  - '{line}'\n" for line in lines)
    return f"symbols: {{{symbols}}}\nsteps: {{{steps}}}\nmodel:\n{definitions}{more}\n"


MATRIX = "x: {shape: n}, y: {shape: n}, W: {shape: [n, n]}, g: {}"
x, y, W, g = b.var("x", (), (n,)), b.var("y", (), (n,)), b.var("W", (), (n, n)), b.var("g")

EXPRESSIONS = [
    ("2*n - 1", b.count(2 * n - 1)),
    ("1/2", b.num(Fraction(1, 2))),
    ("-x", b.neg(x)),
    ("+x", x),
    ("x.T @ W @ y", b.matmul(b.transpose(x), W, y)),
    ("x @ y.T", b.outer(x, y)),
    ("W.T", b.transpose(W)),
    ("x**2 / g", b.div(b.power(x, b.num(2)), g)),
    ("x - y + x", b.add(x, b.neg(y), x)),
    ("W[1, 2]", b.at(W, 1, 2)),
    ("W[2]", b.entry(W, [At(2)])),
    ("x[1..2]", b.entry(x, [Cut(1, 2)])),
    ("W[:, 1]", b.entry(W, [Cut(1, n), At(1)])),
    ("x[n]", b.at(x, n)),
    ("x[n/2]", b.at(x, n / 2)),
    ("relu(x)", b.apply("relu", x)),
    ("max(x, 0)", b.apply("max", x, b.ZERO)),
    ("max(x, y, 0)", b.apply("max", b.apply("max", x, y), b.ZERO)),
    ("max(x)", b.reduce("max", x)),
    ("min(W, axis=1)", b.reduce("min", W, 1)),
    ("max(x[i], i=1..n)", b.fold("max", b.at(x, i), [Binder(i, 1, n)])),
    ("where(x > 0, x, g)", b.apply("where", b.compare(">", x, b.ZERO), x, g)),
    ("indicator(x > 0)", b.compare(">", x, b.ZERO)),
    ("0 < g < 1", b.mul(b.compare("<", b.ZERO, g), b.compare("<", g, b.ONE))),
    ("sum(x)", b.reduce("sum", x)),
    ("sum(W, axis=0)", b.reduce("sum", W, 0)),
    ("sum(x[i], i=1..n, i != 2)", b.fold("sum", b.at(x, i), [Binder(i, 1, n)], [Rel("!=", i, 2)])),
    ("sum(i == j, i=1..n, j=1..i)", b.fold("sum", b.delta(i, j), [Binder(i, 1, n), Binder(j, 1, i)])),
    ("mean(x)", b.mean(x)),
    ("mean(x[i], i=1..n)", b.div(b.fold("sum", b.at(x, i), [Binder(i, 1, n)]), b.count(n))),
    ("prod(x[i], i=1..n)", b.fold("prod", b.at(x, i), [Binder(i, 1, n)])),
    ("prod(W**i, i=3..1)", b.fold("prod", b.power(W, b.count(i)), [Binder(i, 1, 3)], (), True)),
    ("softmax(W, axis=1)", construct.softmax(W, 1)),
    ("norm(x, ord=inf)", construct.norm(x, "inf")),
    ("norm(x, 1)", construct.norm(x, 1)),
    ("size(W)", b.count(n**2)),
    ("size(W, 0) - 1", b.count(n - 1)),
    ("reshape(W, n*n)", construct.reshape(W, n * n)),
    ("reshape(W, [n*n, 1])", construct.reshape(W, n * n, 1)),
    ("transpose(W, 1, 0)", b.transpose(W)),
    ("concat(x, y)", b.concat([x, y])),
    ("concat(W, W, axis=1)", b.concat([W, W], 1)),
    ("stack(x, y)", b.stack(x, y)),
    ("stack(x[i+1], i=0..n-1)", b.build(b.at(x, i), [Binder(i, 1, n)])),
    ("concat(W[i], i=1..n)", construct.reshape(b.build(b.entry(W, [At(i)]), [Binder(i, 1, n)]), n * n)),
    ("one_hot(2, 3)", construct.one_hot(2, 3)),
    ("argmax(x)", b.reduce("argmax", x)),
    ("grad(x.T @ y, x)", b.deriv(b.inner(x, y), x)),
    ("jacobian(W @ x, x)", b.deriv(b.matmul(W, x), x)),
    ("diag(x) @ W", b.matmul(b.diag(x), W)),
    ("pi * g", b.mul(Const("pi"), g)),
]


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS, ids=[text for text, _ in EXPRESSIONS])
def test_expressions(text: str, expected: Expr) -> None:
    assert body(model(f"a = {text}", symbols=MATRIX), "a") is expected


FUNCTIONS = [
    (("f(u) = u * sigmoid(u)", "a = f(x)"), b.mul(x, b.apply("sigmoid", x))),
    (("f(u) = log(sum(exp(u)))", "a = f(x)"), b.apply("log", b.reduce("sum", b.apply("exp", x)))),
    (("f(u, v) = u - v", "q(u) = f(u, 1)", "a = q(y)"), b.sub(y, b.ONE)),
    (("f(x) = x + y", "a = f(g)"), b.add(g, y)),
    (("relu(u) = 2*u", "a = relu(x)"), b.mul(b.num(2), x)),
    (
        ("f(u) = sum(u[i], i=1..n)", "a = sum(f(W[i, :]), i=1..n)"),
        b.fold(
            "sum", b.fold("sum", b.at(W, i, index_symbol("k")), [Binder(index_symbol("k"), 1, n)]), [Binder(i, 1, n)]
        ),
    ),
]


@pytest.mark.parametrize(("lines", "expected"), FUNCTIONS)
def test_functions_of_the_problem_are_written_in(lines: tuple[str, ...], expected: Expr) -> None:
    assert body(model(*lines, symbols=MATRIX), "a") is expected


# Components

RANGES = [
    ("x: {shape: [13, 5]}, W: {shape: [1, 5, 3]}", "f[r] = sum(x[k + 2*(r-1), c] * W[1, c, k], c=1..5, k=1..3)", 6),
    ("x: {shape: [12, 5]}, W: {shape: [1, 5, 3]}", "f[r] = sum(x[k + 2*(r-1), c] * W[1, c, k], c=1..5, k=1..3)", 5),
    ("x: {shape: H}, W: {shape: K}", "f[r] = sum(x[k + s*(r-1)] * W[k], k=1..K)", "floor((H - K)/s) + 1"),
    ("x: {shape: H}, W: {shape: K}", "f[r] = sum(x[k + r - 1] * W[k], k=1..K)", "H - K + 1"),
    ("x: {shape: H}", "f[r] = x[r+1] - x[r]", "H - 1"),
    ("x: {shape: H}", "f[r] = x[H + 1 - r]", "H"),
    ("x: {shape: H}", "f[r] = x[r..r+2]", "H - 2"),
    ("x: {shape: H}, y: {shape: K}", "f[r] = x[r] * y[r]", "Min(H, K)"),
    ("x: {shape: H}", "f[r] = sum(x[l], l=1..r)", "H"),
    ("x: {shape: H}", "f[r] = r**2, r=1..4", 4),
]


@pytest.mark.parametrize(("symbols", "line", "expected"), RANGES)
def test_a_component_reaches_as_far_as_its_indices_stay_inside(symbols: str, line: str, expected: int | str) -> None:
    if isinstance(expected, str):
        names = {name: size_symbol(name) for name in "HKs"}
        expected = sympy.parse_expr(expected, names)
    assert same(body(model(line, symbols=symbols), "f").shape[0], expected)


def test_components_in_matrices() -> None:
    m, A, B = size_symbol("m"), b.var("A", (), (n, k)), b.var("B", (), (k, size_symbol("m")))
    yaml = model("C[i, j] = sum(A[i, c] * B[c, j], c=1..k)", symbols="A: {shape: [n, k]}, B: {shape: [k, m]}")
    inner = b.fold("sum", b.mul(b.at(A, i, c), b.at(B, c, j)), [Binder(c, 1, k)])
    assert body(yaml, "C") is b.build(inner, [Binder(i, 1, n), Binder(j, 1, m)])


def test_indices_from_zero() -> None:
    symbols = "x: {shape: H}, W: {shape: K}, c: {is: index}"
    base = "index_base: 0"
    line = "f[r] = sum(x[k + 2*r] * W[k], k=0..K-1)"
    found = load_problem(model(line, "a = x[0]", "e = x[c]", "o = argmax(x)", symbols=symbols, more=base))
    f, a, e, o = (definition.body for definition in found.system.definitions)
    H = size_symbol("H")
    X, chosen = b.var("x", (), (H,)), b.var("c", (), (), {"index", "from 0"})
    k_ = index_symbol("k")
    inner = b.fold("sum", b.mul(b.at(X, k_ + 2 * r - 1), b.at(b.var("W", (), (K,)), k_ + 1)), [Binder(k_, 0, K - 1)])
    assert same(f.shape[0], sympy.floor((H - K) / 2) + 1)
    assert f is b.build(inner, [Binder(r, 1, f.shape[0])])
    assert a is b.at(X, 1)
    assert e is b.entry(X, [Pick(b.add(chosen, b.ONE))])
    assert o is b.sub(b.reduce("argmax", X), b.ONE)


# Families


def test_several_indices_and_fixed_ones() -> None:
    yaml = model(
        "q[0, t] = U @ I[t]",
        "q[i, t] = Q[i] @ h[t-i], i=1..k",
        "h[t] = tanh(sum(q[i, t], i=0..k))",
        symbols="'I[t]': {shape: d}, 'h[1-k..0]': 0, U: {shape: [n, d]}, 'Q[i]': {shape: [n, n]}",
        steps="t: 1..T, i: 0..k",
    )
    problem = load_problem(yaml)
    s = index_symbol("s")
    over, from_one = Binder(t, 1, T), Binder(i, 1, k)
    q, h = b.var("q", (i, t), (n,)), b.var("h", (t - i,), (n,))
    assert problem.system.definitions == (
        Definition("h", (s,), b.zeros((n,)), (Binder(s, 1 - k, 0),)),
        Definition("q", (0, t), b.matmul(b.var("U", (), (n, d)), b.var("I", (t,), (d,))), (over,)),
        Definition("q", (i, t), b.matmul(b.var("Q", (i,), (n, n)), h), (from_one, over)),
        Definition("h", (t,), b.apply("tanh", b.fold("sum", q, [Binder(i, 0, k)])), (over,)),
    )
    zero = problem.declarations["h"][0]
    assert (zero.zero, zero.constant, zero.shape) == (True, True, (n,))
    assert [leaf.name for leaf in problem.leaves] == ["I", "U", "Q"]


def test_a_left_side_one_step_ahead_is_moved_back() -> None:
    yaml = model("h[t+1] = W @ h[t]", symbols="W: {shape: [n, n]}, 'h[0]': {shape: n}", steps="t: 0..T-1")
    (definition,) = load_problem(yaml).system.definitions
    expected = b.matmul(W, b.var("h", (t - 1,), (n,)))
    assert definition == Definition("h", (t,), expected, (Binder(t, 1, T),))


def test_without_steps_a_step_stays_open() -> None:
    yaml = model("h[t] = tanh(W @ h[t-1] + x[t])", "e = loss(h[t])", symbols="W: {shape: [n, n]}, 'x[t]': {shape: n}")
    problem = load_problem(yaml)
    state, e = problem.system.definitions
    assert (state.indices, state.ranges) == ((t,), ())
    assert e.body is Opaque("e", (b.var("h", (t,), (n,)),))
    assert [(leaf.name, leaf.pattern, leaf.implied) for leaf in problem.leaves] == [
        ("W", (), False),
        ("x", (t,), False),
        ("h", (t - 1,), True),
    ]


def test_a_boundary_whose_shape_follows_is_implied() -> None:
    lines = ("h[t] = tanh(x[t] + W @ h[t-1] + h[t-2])", "L = sum(h[3])")
    yaml = model(*lines, symbols="W: {shape: [n, n]}, 'x[t]': {shape: n}", steps="t: 1..3")
    leaves = load_problem(yaml).leaves
    assert [(leaf.name, leaf.pattern, leaf.shape) for leaf in leaves if leaf.implied] == [
        ("h", (0,), (n,)),
        ("h", (-1,), (n,)),
    ]


def test_a_loss_over_a_range() -> None:
    yaml = model("l = loss(h[t], t=1..K)", symbols="'h[t]': {shape: n}, y: {shape: k}")
    assert body(yaml, "l") is Opaque("l", (b.var("h", (t,), (n,)),), (Binder(t, 1, K),))


def test_data_pick_rows() -> None:
    symbols = "'E': {shape: [V, n]}, 'i[t]': {is: index}, s: {shape: K}, c: {is: index}"
    lines = ("z[t] = E[i[t], :]", "a = sum(max(0, s[j] - s[c] + 1), j=1..K, j != c)", "m = z[1][1..2]")
    problem = load_problem(model(*lines, symbols=symbols, steps="t: 1..T"))
    z, a, m = (definition.body for definition in problem.system.definitions)
    table, scores = b.var("E", (), (size_symbol("V"), n)), b.var("s", (), (K,))
    chosen = b.var("c", (), (), {"index"})
    assert z is b.entry(table, [Pick(b.var("i", (t,), (), {"index"}))])
    margin = b.add(b.at(scores, j), b.neg(b.entry(scores, [Pick(chosen)])), b.ONE)
    other = Compare("!=", b.count(j), chosen, ())
    assert a is b.fold("sum", b.mul(b.apply("max", b.ZERO, margin), other), [Binder(j, 1, K)])
    assert m is b.entry(b.var("z", (1,), (n,)), [Cut(1, 2)])


def test_a_row_is_named_as_a_column() -> None:
    lines = ("q = x.T @ W", "a = q @ y")
    q, a = (definition.body for definition in load_problem(model(*lines, symbols=MATRIX)).system.definitions)
    assert q is b.matmul(b.transpose(W), x)
    assert a is b.matmul(b.transpose(b.var("q", (), (n,))), y)


def test_products_stand_in_the_order_of_their_range() -> None:
    lines = ("J[t] = t * W", "A[t] = prod(J[j], j=t..k+1)", "B[t] = prod(J[j], j=k+1..t)", "C = prod(J[j], j=1..T)")
    problem = load_problem(model(*lines, symbols="W: {shape: [n, n]}", steps="t: 1..T, k: 1..T"))
    folds = [definition.body for definition in problem.system.definitions[1:]]
    step = index_symbol("k")
    member = b.var("J", (j,), (n, n))
    assert folds == [
        b.fold("prod", member, [Binder(j, step + 1, t)], (), True),
        b.fold("prod", member, [Binder(j, step + 1, t)]),
        b.fold("prod", member, [Binder(j, 1, T)]),
    ]


# Numbers


def test_given_numbers_are_exact() -> None:
    symbols = "A: {values: [[1, 1/2], [0.5, -3]]}, g: 2, z: {shape: [2, n], values: 1/3}"
    symbols += ", 'p[t]': {values: [1, 2]}, q: {values: [1, 'sqrt(2)']}"
    problem = load_problem(model("a = A @ q", symbols=symbols, steps="t: 0..1"))
    half = Fraction(1, 2)
    sqrt = b.apply("sqrt", b.num(2))
    assert [(x.family, x.indices, x.body) for x in problem.system.definitions[:-1]] == [
        ("A", (), b.literal([Fraction(1), half, half, Fraction(-3)], (2, 2))),
        ("g", (), b.num(2)),
        ("z", (), b.full(Fraction(1, 3), (2, n))),
        ("p", (0,), b.num(1)),
        ("p", (1,), b.num(2)),
        ("q", (), b.stack(b.ONE, sqrt)),
    ]
    assert problem.leaves == ()


def test_facts_are_those_of_every_member() -> None:
    symbols = (
        "'p[0]': {shape: n, is: probability}, 'u[0]': {shape: n}, x: {shape: n}, S: {shape: [n, n], is: symmetric}"
    )
    lines = ("p[t] = softmax(p[t-1])", "u[t] = softmax(u[t-1])", "s = sigmoid(sum(x))", "v = sigmoid(x)")
    facts = load_problem(model(*lines, symbols=symbols, steps="t: 1..3")).facts
    sure = frozenset({"probability"})
    none: frozenset[str] = frozenset()
    assert facts == {"p": sure, "u": none, "x": none, "S": frozenset({"symmetric"}), "s": sure, "v": none}


def test_relu_at_zero() -> None:
    yaml = model("a = relu(x)", symbols=MATRIX, more="relu_at_zero: 1/2")
    assert body(yaml, "a") is b.apply("relu", x, b.num(Fraction(1, 2)))


# Questions


QUESTIONS = """
questions:
  - {id: ev, ask: evaluate, of: L, at: {x: [1, 1/2], n: 2, g: 3, I: [[1, 2], [3, 4]], "I[1]": 0}}
  - {id: li, ask: limit, of: L, at: "g -> 0+"}
  - {id: far, ask: limit, of: L, at: "g -> -inf"}
  - {id: sp, ask: special_case, of: L, set: ["g = 0", "x = 2*x"]}
  - {id: op, ask: optimum, of: L, over: x, subject_to: "sum(x) == 1", sense: min}
  - {id: id_, ask: identity, left: op.at, right: x, relation: "<="}
  - {id: so, ask: solve, for: n, where: "size(x, 0) == 16"}
  - {id: up, ask: update, loss: L, wrt: x, rule: momentum, rate: eta, with: {beta: 1/2}, state: zero}
  - {id: en, ask: derivative, of: "I[t][a]", wrt: "I[s][b]", form: components}
  - {id: io, ask: iou, boxes: {a: [0, 0, 1, 1]}, reference: a}
"""


def test_fields_of_questions() -> None:
    symbols = "x: {shape: n}, g: {}, 'I[t]': {shape: n}"
    found = load_problem(model("L = g * sum(x)", symbols=symbols, steps="t: 1..2", more=QUESTIONS))
    ask = {question.id: question for question in found.questions}
    settings = ask["ev"].settings("at")
    assert [(s.name, s.target) for s in settings] == [
        ("x", x),
        ("n", n),
        ("g", g),
        ("I", None),
        ("I", b.var("I", (1,), (n,))),
    ]
    assert settings[3].value.shape == (2, 2)
    assert settings[0].value.entries == (Num(Fraction(1)), Num(Fraction(1, 2)))
    (to_zero,), (far,) = ask["li"].settings("at"), ask["far"].settings("at")
    assert (to_zero.target, to_zero.value.entries, to_zero.approach) == (g, (b.ZERO,), "+")
    assert (far.infinite, far.approach) == (-1, "")
    first, second = ask["sp"].settings("set")
    assert (first.target, second.value.entries) == (g, (b.mul(b.num(2), x),))
    assert ask["op"].conditions("subject_to") == (b.compare("==", b.reduce("sum", x), b.ONE),)
    assert isinstance(ask["id_"].fields["left"], Pending)
    with pytest.raises(QuestionError, match="'left' needs the result of op first"):
        ask["id_"].asked("left")
    assert ask["so"].several("for")[0].expr is b.count(n)
    assert ask["so"].where == (Rel("==", n, 16),)
    rate, settings_of_rule = ask["up"].fields["rate"], ask["up"].fields["with"]
    assert isinstance(rate, Asked)
    assert (rate.text, rate.expr.shape) == ("eta", ())
    assert isinstance(settings_of_rule, dict)
    assert list(settings_of_rule) == ["beta"]
    a, s = index_symbol("a"), index_symbol("s")
    assert ask["en"].of.expr is b.at(b.var("I", (t,), (n,)), a)
    assert ask["en"].wrt[0].expr is b.at(b.var("I", (s,), (n,)), index_symbol("b"))
    assert ask["io"].raw.get("boxes") is ask["io"].fields["boxes"]
