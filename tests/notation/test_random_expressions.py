"""Random expressions: every format prints them, with brackets in pairs, and the source can be parsed."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.notation.breaking import fit
from symgrad.notation.latex import latex
from symgrad.notation.plain import plain
from symgrad.notation.read import read
from symgrad.notation.source import source
from symgrad.notation.tokens import latex_tokens
from symgrad.notation.tree import Fenced, Func, parts
from symgrad.syntax.reading import parse_expression
from symgrad.tensor import build as b
from symgrad.tensor.integers import index_symbol, size_symbol
from symgrad.tensor.nodes import Cut, Expr

n = size_symbol("n")
j, t = index_symbol("j"), index_symbol("t")
LEAVES: dict[int, list[Expr]] = {
    0: [b.var("a"), b.num(Fraction(-3, 2)), b.num(2), b.count(n), b.var("lambda")],
    1: [b.var("x", (), (n,)), b.var("h", [t], (n,)), b.var("yhat", [t - 1], (n,)), b.ones((n,))],
    2: [b.var("W", (), (n, n)), b.var("W__f", (), (n, n)), b.eye(n)],
}
SCALAR_FUNCTIONS = ["tanh", "exp", "log", "relu", "abs", "sqrt", "sigmoid"]


@st.composite
def expressions(draw: st.DrawFn, order: int, depth: int = 4) -> Expr:
    """A random expression over n with so many axes."""
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(LEAVES[order]))

    def part(inner: int) -> Expr:
        return draw(expressions(inner, depth - 1))

    options = ["add", "subtract", "multiply", "divide", "power", "apply", "scale", "where", "sum", "derivative"]
    options += [["inner", "reduce", "entry"], ["product", "slice"], ["product", "diag", "outer", "transpose"]][order]
    match draw(st.sampled_from(options)):
        case "add":
            return b.add(part(order), part(order))
        case "subtract":
            return b.sub(part(order), part(order))
        case "multiply":
            return b.mul(part(order), part(order))
        case "divide":
            return b.mul(part(order), b.power(draw(st.sampled_from(LEAVES[order][:2])), b.num(-1)))
        case "power":
            return b.power(part(order), draw(st.sampled_from([b.num(2), b.num(3), b.num(Fraction(1, 2))])))
        case "apply":
            return b.apply(draw(st.sampled_from(SCALAR_FUNCTIONS)), part(order))
        case "scale":
            return b.mul(part(0), part(order))
        case "where":
            return b.apply("where", b.compare(">", part(order), b.ZERO), part(order), part(order))
        case "sum":
            return b.fold("sum", b.mul(b.at(b.var("c", (), (n,)), j), part(order)), [b.binder(j, 1, n)])
        case "derivative":
            return b.deriv(b.var("L"), LEAVES[order][0])
        case "inner":
            return b.inner(part(1), part(1))
        case "reduce":
            return b.reduce(draw(st.sampled_from(["sum", "max"])), part(draw(st.integers(1, 2))))
        case "entry":
            return b.at(part(1), j)
        case "product":
            return b.matmul(part(2), part(order))
        case "slice":
            return b.mul(b.entry(part(2), [Cut(1, n), Cut(1, n)]), part(1)) if order == 2 else part(1)
        case "diag":
            return b.diag(part(1))
        case "outer":
            return b.outer(part(1), part(1))
        case _:
            return b.transpose(part(2))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2).flatmap(expressions))
def test_every_expression_is_printed_in_every_format(expr: Expr) -> None:
    tree = read(expr)
    formula = latex(tree)
    for opening, closing in ["{}", "()"]:
        assert formula.count(opening) == formula.count(closing)
    assert formula.count("[") == formula.count("]")
    assert plain(tree)
    parse_expression(source(expr))
    lines = fit(tree, 24.0)
    assert [x for line in lines for x in latex_tokens(latex(line)) if x != r"\cdot"] == [
        x for x in latex_tokens(formula) if x != r"\cdot"
    ]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2).flatmap(expressions))
def test_no_formula_has_what_a_person_would_leave_out(expr: Expr) -> None:
    tree = read(expr)
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        waiting.extend(parts(node))
        assert not (isinstance(node, Fenced) and isinstance(node.body, Fenced) and node.body.left == "(")
        assert not (isinstance(node, Func) and any(isinstance(x, Fenced) and x.left == "(" for x in node.args))
    formula = latex(tree)
    assert "--" not in formula.replace(" ", "")
    assert "+-" not in formula.replace(" ", "")
    assert r"^{\top}^" not in formula
