"""Programs out of the ordinary: fixed steps, clashing names, pieces of families, sizes read off shapes."""

import numpy as np
import numpy_harness as harness
import pytest
import sympy
from numpy_systems import STEPS, T, d, i, j, k, m, matrix, n, over_steps, s, scalar, t, total, vector

from symgrad.codegen import Leaf, Program, function_source
from symgrad.errors import InternalError, QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.functions import construct as f
from symgrad.tensor.integers import index_symbol, size_symbol
from symgrad.tensor.nodes import Binder, Expr
from symgrad.tensor.system import Definition, System

SIZES = {T: 4, n: 3, d: 2, k: 5, m: 2}
A, x, u = matrix("A", n, n), vector("x", n, t), vector("u", n)
X, H0 = Leaf("x", x, (STEPS,)), Leaf("h0", vector("h", n, 0))


def state(*steps: Expr) -> Expr:
    """tanh of a sum."""
    return b.apply("tanh", b.add(*steps))


def h_at(step: sympy.Expr | int) -> Expr:
    """The state at a step."""
    return vector("h", n, step)


NEXT = state(b.matmul(A, h_at(t - 1)), x)


def program(definitions: list[Definition], output: Expr, *leaves: Leaf, **more: object) -> Program:
    """A program called f."""
    return Program("f", System(tuple(definitions), {t: STEPS}), output, leaves, **more)  # type: ignore[arg-type]


def test_steps_written_out_one_by_one() -> None:
    definitions = [Definition("h", (1,), b.matmul(A, h_at(0)))]
    definitions += [Definition("h", (step,), state(b.matmul(A, h_at(step - 1)))) for step in (2, 3)]
    definitions += [
        Definition("δh", (3,), h_at(3)),
        Definition("δh", (2,), b.matmul(b.transpose(A), vector("δh", n, 3))),
    ]
    made = program(definitions, b.outer(vector("δh", n, 2), h_at(1)), H0, Leaf("A", A))
    harness.check(made, SIZES)


def test_a_numeric_range_and_its_last_step() -> None:
    steps = Binder(t, 1, 3)
    definitions = [over_steps("h", NEXT, ranges=(steps,))]
    made = program(definitions, b.add(h_at(3), h_at(1)), Leaf("x", x, (steps,)), H0, Leaf("A", A))
    harness.check(made, SIZES)


def test_a_loop_ends_at_the_last_step_that_is_read() -> None:
    definitions = [over_steps("h", NEXT)]
    made = program(definitions, h_at(2), X, H0, Leaf("A", A))
    harness.check(made, SIZES)
    assert "for t in range(1, 3):" in function_source(made)


def test_pieces_of_a_family() -> None:
    first = Definition("h", (1,), b.matmul(A, u))
    later = over_steps("h", NEXT, ranges=(Binder(t, 2, T),))
    harness.check(program([first, later], total(h_at(t)), X, Leaf("u", u), Leaf("A", A)), SIZES)


def test_pieces_under_conditions() -> None:
    low = Definition("h", (t,), b.mul(b.num(2), x), (STEPS,), (b.rel("<=", t, 2),))
    high = Definition("h", (t,), state(h_at(t - 1), h_at(t - 2)), (STEPS,), (b.rel(">", t, 2),))
    harness.check(program([low, high], b.build(h_at(t), [STEPS]), X), SIZES)


def test_pieces_by_another_index() -> None:
    rows, q = Binder(i, 1, k), vector("q", n, i, t)
    on = Definition("q", (i, t), b.mul(b.count(i), x), (rows, STEPS), (b.rel("<=", i, t),))
    off = Definition("q", (i, t), u, (rows, STEPS), (b.rel(">", i, t),))
    made = program([on, off], b.build(q, [rows, STEPS]), X, Leaf("u", u), integers=(k,))
    harness.check(made, SIZES)


def test_names_that_clash() -> None:
    gate = vector("i", n, t)
    weight = b.var("lambda", shape=(n, n))
    inner = b.fold("sum", b.mul(b.at(gate, i), b.at(weight, i, j)), [Binder(i, 1, n)])
    definitions = [
        over_steps("i", state(b.matmul(weight, vector("i", n, t - 1)), x)),
        over_steps("dh", b.build(inner, [Binder(j, 1, n)])),
        over_steps("δh", b.mul(vector("dh", n, t), vector("dh", n, t))),
    ]
    output = b.add(total(vector("δh", n, t)), total(vector("dh", n, t)))
    leaves = (Leaf("x", x, (STEPS,)), Leaf("i0", vector("i", n, 0)), Leaf("lambda_", weight))
    harness.check(program(definitions, output, *leaves), SIZES)


def test_an_index_with_the_name_of_a_size() -> None:
    index = index_symbol("n")
    output = b.fold("sum", b.mul(b.count(index), b.at(u, index)), [Binder(index, 1, n)])
    harness.check(program([], output, Leaf("u", u)), SIZES)


@pytest.mark.parametrize(
    "shape", [(n + 1,), (2 * n,), (n + k, k), (3 * n - 1, m), (n * m, m)], ids=lambda shape: str(shape)
)
def test_sizes_are_read_off_shapes(shape: tuple[sympy.Expr, ...]) -> None:
    v = b.var("v", shape=shape)
    harness.check(program([], b.mul(b.count(n), f.vec(v)), Leaf("v", v)), SIZES)


def test_a_size_that_no_array_shows() -> None:
    with pytest.raises(QuestionError, match="no argument shows the size n"):
        function_source(program([], b.count(n)))
    harness.check(program([], b.mul(b.count(n), b.ones((k,))), integers=(n, k)), SIZES)


def test_a_family_from_zero() -> None:
    lags = Binder(i, 0, k)
    w = vector("w", n, i)
    definitions = [Definition("e", (i,), b.inner(w, u), (lags,))]
    output = b.fold("sum", b.mul(scalar("e", i), b.count(i)), [lags])
    harness.check(program(definitions, output, Leaf("w", w, (lags,)), Leaf("u", u)), SIZES)


def test_a_product_of_jacobians_in_a_sum() -> None:
    slope = b.diag(b.sub(b.ONE, b.power(h_at(j), b.num(2))))
    jacobians = b.fold("prod", b.matmul(slope, A), [Binder(j, s + 1, T)], descending=True)
    term = b.outer(b.matmul(b.transpose(jacobians), u), h_at(s - 1))
    output = b.fold("sum", term, [Binder(s, 1, T)])
    made = program([over_steps("h", NEXT)], output, X, H0, Leaf("A", A), Leaf("u", u))
    harness.check(made, SIZES)


def test_no_steps_at_all() -> None:
    made = program([over_steps("h", NEXT)], total(h_at(t)), X, H0, Leaf("A", A))
    arguments = {"x": np.zeros((0, 3)), "h0": np.ones(3), "A": np.eye(3)}
    np.testing.assert_array_equal(harness.run(made, arguments), np.zeros(3))


def test_a_result_is_no_view_of_an_argument() -> None:
    made = program([Definition("copy", (), A)], b.transpose(A), Leaf("A", A))
    values = np.arange(9.0).reshape(3, 3)
    harness.run(made, {"A": values})[0, 0] = 7
    assert values[0, 0] == 0


def test_arguments_may_be_lists_of_integers() -> None:
    made = program([over_steps("h", NEXT)], h_at(T), X, H0, Leaf("A", A))
    got = harness.namespace(made)["f"](x=[[1, 0, 0]], h0=[0, 0, 1], A=[[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(got, np.tanh([1, 0, 1]))


def test_a_running_sum_over_all_earlier_steps() -> None:
    past = b.fold("sum", b.matmul(A, h_at(s)), [Binder(s, 0, t - 1)])
    made = program([over_steps("h", state(past, x))], total(h_at(t)), X, H0, Leaf("A", A))
    harness.check(made, SIZES)


def test_a_maximum_over_earlier_steps() -> None:
    best = b.fold("max", b.inner(u, h_at(s)), [Binder(s, 0, t - 1)])
    made = program([over_steps("h", b.mul(best, x))], total(h_at(t)), X, H0, Leaf("u", u))
    harness.check(made, SIZES)


def test_a_step_by_step_sum_without_recurrence() -> None:
    definitions = [over_steps("c", b.fold("sum", vector("x", n, s), [Binder(s, 1, t)]))]
    harness.check(program(definitions, b.build(vector("c", n, t), [STEPS]), X), SIZES)


def test_two_recurrences_that_read_each_other() -> None:
    definitions = [
        over_steps("h", state(b.matmul(A, vector("c", n, t - 1)), x)),
        over_steps("c", b.add(b.mul(b.num(2), vector("c", n, t - 1)), b.mul(h_at(t), h_at(t - 1)))),
    ]
    leaves = (X, H0, Leaf("c0", vector("c", n, 0)), Leaf("A", A))
    harness.check(program(definitions, b.add(total(h_at(t)), vector("c", n, T)), *leaves), SIZES)


def test_a_table_filled_along_two_indices() -> None:
    cell = scalar("D", i, j)
    rows, columns = Binder(i, 1, n), Binder(j, 1, k)
    near = b.apply("min", scalar("D", i - 1, j), b.apply("min", scalar("D", i, j - 1), scalar("D", i - 1, j - 1)))
    cost = b.var("cost", shape=(n, k))
    definitions = [
        Definition("D", (i, 0), b.count(i), (Binder(i, 0, n),)),
        Definition("D", (0, j), b.count(j), (columns,)),
        Definition("D", (i, j), b.add(b.at(cost, i, j), near), (rows, columns)),
    ]
    harness.check(program(definitions, b.add(scalar("D", n, k), b.mul(b.ZERO, cell)), Leaf("cost", cost)), SIZES)


def test_definitions_in_a_circle() -> None:
    circle = [over_steps("a", b.mul(b.num(2), vector("b", n, t))), over_steps("b", b.neg(vector("a", n, t)))]
    with pytest.raises(InternalError, match="a, b: these depend on each other within one step"):
        function_source(program(circle, total(vector("a", n, t)), X))


def test_the_value_of_an_unknown_loss() -> None:
    with pytest.raises(QuestionError, match="the value of loss is not given"):
        function_source(program([Definition("e", (), b.opaque("loss", [u]))], scalar("e"), Leaf("u", u)))


def test_a_symmetric_size() -> None:
    size = size_symbol("size")
    v = b.var("v", shape=(size, size))
    harness.check(program([], b.reduce("sum", v, 0), Leaf("v", v)), {size: 3})
