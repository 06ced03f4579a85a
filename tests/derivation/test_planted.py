"""A mistake planted into every derivative rule in turn is caught by certification: nothing of the answer is printed."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from symgrad.calculus import adjoint, linear, local, sensitivity
from symgrad.calculus.pullback import CALLS, pullback
from symgrad.derivation import differentiation
from symgrad.derivation.differentiation import backprop, update
from symgrad.derivation.differentiation.first_order import FirstOrder
from symgrad.derivation.differentiation.optimisers import RULES, Formula, Quantities
from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import Derivation
from symgrad.pipeline import load, solve
from symgrad.problem.model import Problem
from symgrad.tensor import build as b
from symgrad.tensor.functions import FUNCTIONS
from symgrad.tensor.functions.layers import AXES
from symgrad.tensor.nodes import (
    Add,
    Apply,
    At,
    Call,
    Compare,
    Concat,
    Cut,
    Entry,
    Expr,
    MatMul,
    Mul,
    Permute,
    Pow,
    Reduce,
    Stack,
    Transpose,
    Var,
)
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.system import Definition

SYMBOLS = """
symbols:
  x: {shape: n}
  y: {shape: n}
  u: {shape: n, is: positive}
  p: {shape: n, is: probability}
  q: {shape: n, is: probability}
  z: {shape: m}
  A: {shape: [m, n]}
  B: {shape: [n, m]}
  S: {shape: [n, n]}
  Q: {shape: [n, n], is: invertible}
  X: {shape: [m, n, 3]}
  G: {shape: [3, m, n]}
  v: {shape: 4}
  w: {shape: 4}
  F: {shape: [4, 4]}
  K: {shape: [2, 2]}
  a: {}
  r: {is: positive}
"""
MODELS: dict[str, tuple[str, str]] = {
    "Add": ("L = sum((x + 2*y)**2)", "x, y"),
    "Mul": ("L = sum(x * y * x * a)", "x, y, a"),
    "Pow": ("L = sum(u ** x) + sum(x ** 3)", "u, x"),
    "Apply": ("L = y.T @ tanh(x)", "x"),
    "MatMul": ("L = z.T @ (A @ S @ x)", "A, S, x, z"),
    "Transpose": ("s = A.T; L = sum(s**2 * B)", "A"),
    "Permute": ("s = transpose(X, [2, 0, 1]); L = sum(s * G)", "X"),
    "Reduce sum": ("s = sum(A * A, axis=1); L = z.T @ s", "A"),
    "Reduce prod": ("L = prod(u)", "u"),
    "Reduce max": ("L = max(x)**2", "x"),
    "Reduce min": ("s = min(A, axis=1); L = z.T @ s", "A"),
    "Entry": ("L = v[2]**2 + sum(v[2..3] * w[3..4]) + F[2, 3]", "v, w, F"),
    "Stack": ("s = stack(x, x * y); L = sum(s**2 * stack(y, u))", "x"),
    "Concat": ("s = concat(x, x * x); L = sum(s**3)", "x"),
    "softmax": ("s = softmax(x); L = y.T @ s", "x"),
    "logsumexp": ("L = logsumexp(x)", "x"),
    "cross_entropy": ("L = cross_entropy(q, p)", "p, q"),
    "norm": ("L = norm(x)", "x"),
    "trace": ("L = trace(A @ B)", "A"),
    "det": ("L = det(Q)", "Q"),
    "inv": ("s = inv(Q); L = x.T @ s @ y", "Q"),
    "diag": ("s = diag(x); L = y.T @ s @ y", "x"),
    "diagpart": ("s = diag(S); L = y.T @ s", "S"),
    "reshape": ("s = reshape(A, n, m); L = sum(s**2 * B)", "A"),
    "kron": ("s = kron(x, z); L = sum(s**2)", "x, z"),
    "conv1d": ("s = conv1d(v, w[1..2]); L = sum(s**2)", "v, w"),
    "conv2d": ("s = conv2d(F, K, padding=1); L = sum(s**2)", "F, K"),
    "conv_transpose1d": ("s = conv_transpose1d(v, w[1..2], stride=2); L = sum(s**2)", "v, w"),
    "conv_transpose2d": ("s = conv_transpose2d(F, K); L = sum(s**2)", "F, K"),
    "maxpool1d": ("s = maxpool1d(v, 2); L = sum(s**2)", "v"),
    "maxpool2d": ("s = maxpool2d(F, 2); L = sum(s**2)", "F"),
    "avgpool1d": ("s = avgpool1d(v, 2); L = sum(s**2)", "v"),
    "avgpool2d": ("s = avgpool2d(F, 2); L = sum(s**2)", "F"),
    "Fold sum": ("L = sum(x[j]**2 * y[k], j=1..n, k=1..n, j != k)", "x, y"),
    "Fold prod": ("L = prod(u[j], j=1..n)", "u"),
    "Fold max": ("L = max(x[j] * y[j], j=1..n)", "x"),
    "Build": ("s[j] = x[j] * x[j+1]; L = sum(s**2)", "x"),
    "indexed": ("s[i] = sum(S[i, j] * x[j], j=1..n); L = y.T @ s", "x"),
    "vector": ("s = A @ tanh(x) * z", "x, z"),
    "column": ("s = tanh(a * x)", "a"),
    "picked": ("s = softmax(S @ x); L = -log(s[1])", "S, x"),
    "several": ("e[t] = tanh(I[t] * x); s = sum(S @ e[t], t=1..3)", "x"),
    "slope": ("s = tanh(S @ x); L = y.T @ s", "S, x"),
    "recurrence": ("h[t] = tanh(S @ h[t-1] + I[t]); L = sum(y.T @ h[t], t=1..T)", "S"),
    "second order": ("h[t] = tanh(S @ h[t-1] + Q @ h[t-2]); L = sum(y.T @ h[t], t=1..T)", "S, Q"),
}
STEPS = """
  I[t]: {shape: n}
  h[-1]: {shape: n}
  h[0]: {shape: n}
steps: {t: 1..T}
"""


def problem(model: str, wrt: str, form: str, of: str = "L") -> Problem:
    """One question about a model in one line."""
    lines = "".join(f"  - {part.strip()}\n" for part in model.split(";"))
    symbols = SYMBOLS.rstrip("\n") + (STEPS if "[t]" in model else "\n")
    asked = f"{{id: q, ask: derivative, of: {of}, wrt: [{wrt}], form: {form}}}"
    return load(f"title: Planted{symbols}model:\n{lines}questions:\n  - {asked}\n")


def of(name: str) -> str:
    return "s" if name in ("vector", "column", "several") else "L"


def answer(name: str, form: str) -> Derivation:
    model, wrt = MODELS[name]
    (found,) = solve_problem(problem(model, wrt, form, of(name)))
    return found


FORMS: dict[str, tuple[str, ...]] = {
    "vector": ("chain", "components"),
    "column": ("chain",),
    "several": ("chain",),
    "recurrence": ("backprop",),
    "second order": ("backprop",),
}


def forms(name: str) -> tuple[str, ...]:
    return FORMS.get(name, ("chain", "backprop", "components"))


@pytest.mark.parametrize(("name", "form"), [(name, form) for name in MODELS for form in forms(name)])
def test_without_a_mistake_the_answer_is_certified(name: str, form: str) -> None:
    found = answer(name, form)
    assert found.status == "certified", found.message
    assert found.results


def caught(name: str) -> None:
    for form in forms(name):
        found = answer(name, form)
        assert (found.status, found.results) == ("failed", ()), (name, form)
        assert "this is a fault of symgrad" in found.message


# Scalar functions

Slopes = tuple[Expr, ...]


def negated(slopes: Slopes, ans: Expr) -> Slopes:
    return tuple(b.neg(d) for d in slopes)


def doubled(slopes: Slopes, ans: Expr) -> Slopes:
    return tuple(b.mul(b.num(2), d) for d in slopes)


def swapped(slopes: Slopes, ans: Expr) -> Slopes:
    return (*slopes[:-2], slopes[-1], slopes[-2])


def shifted(slopes: Slopes, ans: Expr) -> Slopes:
    return tuple(b.add(d, b.ones(ans.shape)) for d in slopes)


SLOPE_MISTAKES = (negated, doubled, shifted)
ARGUMENTS = {"max": "x, y", "min": "x, y", "where": "x > 0, y, x", "log": "u", "sqrt": "u"}
STEP_FUNCTIONS = frozenset({"sign", "floor", "ceil"})
PLANTED_SLOPES = [
    (name, wrong)
    for name, row in SCALARS.items()
    for wrong in (*SLOPE_MISTAKES, *([swapped] if row.arity > 1 else []))
    if wrong is shifted or name not in STEP_FUNCTIONS
]


@pytest.mark.parametrize(("name", "wrong"), PLANTED_SLOPES)
def test_a_wrong_slope_is_caught(name: str, wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    row = SCALARS[name]
    arguments = ARGUMENTS.get(name, "x")
    wrt = "u" if arguments == "u" else "x, y" if "y" in arguments else "x"
    MODELS[name] = (f"s = {name}({arguments}); L = sum(s * y)", wrt)
    broken = replace(row, derivative=lambda args, ans: wrong(row.derivative(args, ans), ans))
    monkeypatch.setitem(SCALARS, name, broken)
    caught(name)
    del MODELS[name]


def test_every_scalar_function_has_a_planted_mistake() -> None:
    assert {name for name, _ in PLANTED_SLOPES} == set(SCALARS)


# Functions of whole tensors

Parts = tuple[Expr | None, ...]


def each(change: Callable[[Expr], Expr]) -> Callable[[Parts], Parts]:
    return lambda parts: tuple(None if p is None else change(p) for p in parts)


PART_MISTAKES: dict[str, Callable[[Parts], Parts]] = {
    "sign": each(b.neg),
    "factor": each(lambda p: b.mul(b.num(2), p)),
    "forgotten": each(lambda p: b.zeros_like(p)),
    "shifted": each(lambda p: b.add(p, b.transpose(b.ones(p.shape)) if p.row else b.ones(p.shape))),
}
CALLED = [name for name in CALLS if name in MODELS]


@pytest.mark.parametrize("mistake", PART_MISTAKES)
@pytest.mark.parametrize("name", CALLED)
def test_a_wrong_rule_of_a_tensor_function_is_caught(name: str, mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = CALLS[name]
    monkeypatch.setitem(CALLS, name, lambda node, ans, g: PART_MISTAKES[mistake](right(node, ans, g)))
    caught(name)


def test_every_tensor_function_has_a_planted_mistake() -> None:
    assert set(CALLS) - set(CALLED) == {"one_hot", "vec"}


def test_softmax_without_its_mean_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CALLS, "softmax", lambda node, ans, g: (b.mul(ans, g),))
    caught("softmax")


def test_swapped_operands_of_cross_entropy_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = CALLS["cross_entropy"]
    monkeypatch.setitem(CALLS, "cross_entropy", lambda node, ans, g: tuple(reversed(right(node, ans, g))))
    caught("cross_entropy")


# Kinds of nodes

Rule = Callable[[Any, Expr, Expr], Parts]
KINDS: dict[str, tuple[type[Expr], ...]] = {
    "Add": (Add,), "Mul": (Mul,), "Pow": (Pow,), "Apply": (Apply,), "MatMul": (MatMul,), "Transpose": (Transpose,),
    "Permute": (Permute,), "Reduce sum": (Reduce,), "Reduce prod": (Reduce,), "Reduce max": (Reduce,),
    "Reduce min": (Reduce,), "Entry": (Entry,), "Stack": (Stack,), "Concat": (Concat,), "softmax": (Call,),
}  # fmt: skip


def plant(kinds: tuple[type[Expr], ...], wrong: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    def rule(node: Expr, ans: Expr, g: Expr) -> Parts:
        return wrong(node, ans, g) if isinstance(node, kinds) else pullback(node, ans, g)

    monkeypatch.setattr(sensitivity, "pullback", rule)


@pytest.mark.parametrize("mistake", PART_MISTAKES)
@pytest.mark.parametrize("name", KINDS)
def test_a_wrong_rule_of_a_kind_of_node_is_caught(name: str, mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(KINDS[name], lambda node, ans, g: PART_MISTAKES[mistake](pullback(node, ans, g)), monkeypatch)
    caught(name)


def test_every_kind_of_node_has_a_planted_mistake() -> None:
    planted = {kind for kinds in KINDS.values() for kind in kinds}
    ruled = {kind for kind in pullback.registry if issubclass(kind, Expr)} - {Expr}
    assert ruled - planted == {Compare}  # whose derivative is zero wherever there is one


def _not_transposed(node: MatMul, ans: Expr, g: Expr) -> Parts:
    def passed(k: int) -> Expr:
        right = pullback(node, ans, g)[k]
        assert right is not None
        args = node.args
        try:
            wrong = b.matmul(*args[:k], g, *(b.transpose(a) for a in reversed(args[k + 1 :])))
        except Exception:
            return b.mul(b.num(3), right)
        return wrong if wrong.shape == right.shape and wrong is not right else b.mul(b.num(3), right)

    return tuple(passed(k) for k in range(len(node.args)))


def _own_factor_kept(node: Mul, ans: Expr, g: Expr) -> Parts:
    return tuple(None if p is None else b.mul(p, a) for p, a in zip(pullback(node, ans, g), node.args, strict=True))


def _exponent_not_lowered(node: Pow, ans: Expr, g: Expr) -> Parts:
    return b.mul(g, node.exponent, ans), pullback(node, ans, g)[1]


def _next_place(node: Entry, ans: Expr, g: Expr) -> Parts:
    def moved(item: Any) -> Any:
        match item:
            case At(index=int() as k):
                return At(k - 1)
            case Cut(lo=int() as lo, hi=int() as hi) if lo > 1:
                return Cut(lo - 1, hi - 1)
        return item

    return pullback(Entry(node.arg, tuple(moved(q) for q in node.items), node.shape), ans, g)


def _reversed(node: Any, ans: Expr, g: Expr) -> Parts:
    return tuple(reversed(pullback(node, ans, g)))


STRUCTURAL: Sequence[tuple[str, tuple[type[Expr], ...], Rule]] = (
    ("MatMul", (MatMul,), _not_transposed),
    ("Mul", (Mul,), _own_factor_kept),
    ("Pow", (Pow,), _exponent_not_lowered),
    ("Entry", (Entry,), _next_place),
    ("Stack", (Stack,), _reversed),
    ("Concat", (Concat,), _reversed),
)


@pytest.mark.parametrize(("name", "kinds", "wrong"), STRUCTURAL, ids=[w.__name__ for _, _, w in STRUCTURAL])
def test_a_mistake_of_structure_is_caught(
    name: str, kinds: tuple[type[Expr], ...], wrong: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(kinds, wrong, monkeypatch)
    caught(name)


# Sums over ranges, entries, and readings of linear maps


@pytest.mark.parametrize("name", ["Fold sum", "Fold prod", "Fold max"])
def test_a_wrong_weight_of_a_range_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = sensitivity._fold_weight
    monkeypatch.setattr(
        sensitivity, "_fold_weight", lambda node, ans, g: (b.mul(b.num(2), right(node, ans, g)[0]), node.conds)
    )
    caught(name)


def test_a_forgotten_condition_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = sensitivity._fold_weight
    monkeypatch.setattr(sensitivity, "_fold_weight", lambda node, ans, g: (right(node, ans, g)[0], ()))
    caught("Fold sum")


@pytest.mark.parametrize("mistake", PART_MISTAKES)
def test_a_mistake_by_entries_is_caught(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = sensitivity.by_entries
    monkeypatch.setattr(sensitivity, "by_entries", lambda node, ans, g: PART_MISTAKES[mistake](right(node, ans, g)))
    caught("conv1d")


@pytest.mark.parametrize("mistake", PART_MISTAKES)
@pytest.mark.parametrize("layer", [n for n in AXES if n.startswith(("conv", "maxpool"))])
def test_a_mistake_in_the_adjoint_of_a_layer_is_caught(
    layer: str, mistake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = sensitivity.input_adjoint

    def wrong(node: Call, g: Expr) -> Expr | None:
        found = right(node, g)
        assert found is not None
        return PART_MISTAKES[mistake]((found,))[0]

    monkeypatch.setattr(sensitivity, "input_adjoint", wrong)
    caught(layer)


def test_a_mistake_in_a_built_tensor_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = sensitivity._through_binder

    def wrong(*args: Any) -> list[Any]:
        return [replace(s, value=b.mul(b.num(2), s.value)) for s in right(*args)]

    monkeypatch.setattr(sensitivity, "_through_binder", wrong)
    caught("Build")


READERS = ("_matrix", "_product")


@pytest.mark.parametrize("reader", READERS)
def test_a_misread_jacobian_is_caught(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = getattr(linear, reader)
    monkeypatch.setattr(linear, reader, lambda *args: b.mul(b.num(2), right(*args)))
    found = answer("vector", "chain")
    assert (found.status, found.results) == ("failed", ())


def test_a_jacobian_read_the_wrong_way_round_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = local.matrix_jacobian

    def wrong(body: Expr, ans: Expr, atom: Var) -> Expr:
        made = right(body, ans, atom)
        turned = b.transpose(made) if made.order == 2 else made
        return turned if turned.shape == made.shape else b.mul(b.num(2), made)

    monkeypatch.setattr(local, "matrix_jacobian", wrong)
    found = answer("vector", "chain")
    assert (found.status, found.results) == ("failed", ())


REWRITES = {
    "adjoint_part": ("slope", "chain"),
    "as_diagonal": ("slope", "chain"),
    "collect": ("MatMul", "chain"),
    "common_scalars": ("picked", "chain"),
    "distribute": ("MatMul", "expanded"),
    "dummies_apart": ("indexed", "chain"),
    "entry_by_entry": ("column", "chain"),
    "factor": ("MatMul", "factored"),
    "fold_definitions": ("MatMul", "chain"),
    "in_matrices": ("indexed", "chain"),
    "jacobian_of": ("several", "chain"),
    "known_totals": ("indexed", "chain"),
    "local_jacobian": ("vector", "chain"),
    "merge_diagonals": ("MatMul", "expanded"),
    "multiply_out": ("picked", "chain"),
    "one_stack": ("Entry", "backprop"),
    "outside_sums": ("recurrence", "sum-of-products"),
    "settled": ("MatMul", "chain"),
    "signs": ("several", "chain"),
    "softmax_jacobian": ("recurrence", "sum-of-products"),
    "take_entries": ("MatMul", "chain"),
}


def _rewrites() -> dict[str, list[Any]]:
    """Every function of the calculus from expressions to expressions, with the modules that apply it to an answer."""
    found: dict[str, list[Any]] = {}
    for module in pkgutil.iter_modules(differentiation.__path__):
        place = importlib.import_module(f"{differentiation.__name__}.{module.name}")
        for name, value in inspect.getmembers(place, inspect.isfunction):
            if value.__module__.startswith("symgrad.calculus.") and value.__annotations__.get("return") is Expr:
                found.setdefault(name, []).append(place)
    return found


@pytest.mark.parametrize("rewrite", REWRITES)
def test_a_rewrite_that_changes_the_value_is_caught(rewrite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in _rewrites()[rewrite]:
        right = getattr(place, rewrite)
        monkeypatch.setattr(place, rewrite, lambda x, *more, right=right: b.mul(b.num(2), right(x, *more)))
    found = answer(*REWRITES[rewrite])
    assert (found.status, found.results) == ("failed", ())


def test_every_rewrite_has_a_planted_mistake() -> None:
    assert set(REWRITES) == set(_rewrites())


# Index notation

WRITTEN_OUT: dict[str, tuple[str, str]] = {
    "softmax": ("s = softmax(x)", "x"),
    "logsumexp": ("s = logsumexp(A, axis=1)", "A"),
    "cross_entropy": ("s = x * cross_entropy(q, p)", "p"),
    "norm": ("s = x / norm(x)", "x"),
    "trace": ("s = x * trace(A @ B)", "A"),
    "diag": ("s = diag(x)", "x"),
    "diagpart": ("s = diag(S)", "S"),
    "kron": ("s = kron(x, z)", "x"),
    "reshape": ("s = reshape(A, n, m)", "A"),
    "conv1d": ("s = conv1d(v, w[1..2])", "v"),
    "conv2d": ("s = conv2d(F, K, padding=1)", "F"),
    "conv_transpose1d": ("s = conv_transpose1d(v, w[1..2], stride=2)", "v"),
    "conv_transpose2d": ("s = conv_transpose2d(F, K)", "F"),
    "maxpool1d": ("s = maxpool1d(v, 2)", "v"),
    "maxpool2d": ("s = maxpool2d(F, 2)", "F"),
    "avgpool1d": ("s = avgpool1d(v, 2)", "v"),
    "avgpool2d": ("s = avgpool2d(F, 2)", "F"),
    "maxunpool1d": ("s = maxunpool1d(w[1..2], v, 2)", "w"),
    "maxunpool2d": ("s = maxunpool2d(K, F, 2)", "K"),
}


@pytest.mark.parametrize("name", WRITTEN_OUT)
def test_a_wrong_index_form_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = FUNCTIONS[name]
    assert row.values is not None
    right = row.values.entries
    assert right is not None
    values = replace(row.values, entries=lambda *args: b.mul(b.num(2), right(*args)))
    monkeypatch.setitem(FUNCTIONS, name, replace(row, values=values))
    (found,) = solve_problem(problem(*WRITTEN_OUT[name], "components", "s"))
    assert (found.status, found.results) == ("failed", ())


def test_every_index_form_has_a_planted_mistake() -> None:
    written = {name for name, row in FUNCTIONS.items() if row.values and row.values.entries}
    assert written - set(WRITTEN_OUT) == {"one_hot", "column_norm", "row_norm"}  # a constant, and norms of bounds


# Closed forms


def _skipping(right: Callable[..., Expr]) -> Callable[..., Expr]:
    return lambda form, factor, j, k: right(form, factor, j, k + 1)


def _doubled(right: Callable[..., Expr]) -> Callable[..., Expr]:
    return lambda *args: b.mul(b.num(2), right(*args))


CLOSED = [("_product", _skipping), ("_product", _doubled), ("_term", _doubled), ("_passed_on", _doubled),
          ("_start", _doubled), ("_local", _doubled)]  # fmt: skip


@pytest.mark.parametrize(("part", "wrong"), CLOSED)
def test_a_wrong_part_of_a_closed_form_is_caught(part: str, wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FirstOrder, part, wrong(getattr(FirstOrder, part)))
    found = answer("recurrence", "sum-of-products")
    assert (found.status, found.results) == ("failed", ())


# Rules of descent


@pytest.mark.parametrize("name", RULES)
def test_a_step_up_the_gradient_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = RULES[name]

    def wrong(q: Quantities) -> list[Formula]:
        return rule.formulas(replace(q, gradient=b.neg(q.gradient)))

    monkeypatch.setattr(update, "RULES", {**RULES, name: replace(rule, formulas=wrong)})
    asked = f"{{id: q, ask: update, loss: L, wrt: x, rule: {name}, rate: r}}"
    text = f"title: Planted{SYMBOLS.rstrip()}\nmodel: [L = y.T @ tanh(x)]\nquestions: [{asked}]\n"
    (found,) = solve_problem(load(text))
    assert (found.status, found.results) == ("failed", ())


# Recurrences


@pytest.mark.parametrize("name", ["recurrence", "second order"])
def test_a_step_too_far_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = adjoint.shared_by

    def wrong(*args: Any) -> list[Any]:
        return [replace(t, guard=()) if t.guard else t for t in right(*args)][:1] if len(right(*args)) else []

    monkeypatch.setattr(adjoint, "shared_by", lambda s, d, target, known: wrong(s, _later(d), target, known))
    caught(name)


def _later(d: Definition) -> Definition:
    """The definition as if a recurrence were read one step later than it is."""
    if not d.ranges:
        return d
    (x, *rest) = d.ranges
    return replace(d, ranges=(replace(x, lo=x.lo + 1), *rest))


@pytest.mark.parametrize("name", ["recurrence", "second order"])
def test_a_forgotten_path_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = backprop.adjoint_equations

    def wrong(*args: Any, **named: Any) -> Any:
        for e in right(*args, **named):
            yield replace(e, terms=e.terms[:-1]) if len(e.terms) > 1 else e

    monkeypatch.setattr(backprop, "adjoint_equations", wrong)
    caught(name)


def test_nothing_of_a_wrong_answer_reaches_the_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    row = SCALARS["tanh"]
    monkeypatch.setitem(SCALARS, "tanh", replace(row, derivative=lambda args, ans: (b.add(b.ONE, b.mul(ans, ans)),)))
    asked = problem(*MODELS["Apply"], "chain")
    for format_ in ("tex", "md", "json", "numpy"):
        text = str(solve(asked, format_).document)
        assert "1 + " not in text, format_
        assert "frac{\\partial L}{\\partial x} =" not in text
