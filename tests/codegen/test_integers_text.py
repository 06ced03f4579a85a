"""Integer expressions as source have the values that they have in SymPy, whatever stands inside what."""

import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.codegen.integers_text import integer_source
from symgrad.codegen.text import ATOM

k, m, n = (sympy.Symbol(name, integer=True, positive=True) for name in "kmn")

LEAVES = st.sampled_from([k, m, n, *map(sympy.Integer, (1, 2, 3))])


def grown(inner: st.SearchStrategy[sympy.Expr]) -> st.SearchStrategy[sympy.Expr]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(lambda p: p[0] + p[1]),
        pairs.map(lambda p: p[0] - p[1]),
        pairs.map(lambda p: p[0] * p[1]),
        st.tuples(inner, LEAVES).map(lambda p: sympy.floor(p[0] / p[1])),
        st.tuples(inner, LEAVES).map(lambda p: -sympy.ceiling(p[0] / p[1])),
        st.tuples(inner, LEAVES).map(lambda p: sympy.Mod(p[0], p[1])),
    )


EXPRESSIONS = st.recursive(LEAVES, grown, max_leaves=6)


@settings(deadline=None)
@given(EXPRESSIONS, st.tuples(*[st.integers(1, 7)] * 3))
def test_a_source_has_the_value_of_its_expression(value: sympy.Expr, at: tuple[int, ...]) -> None:
    numbers = dict(zip((k, m, n), at, strict=True))
    text, _ = integer_source(value, lambda s: (str(s), ATOM))
    assert eval(text, {"__builtins__": {"min": min, "max": max}}, {str(s): v for s, v in numbers.items()}) == int(
        value.subs(numbers)
    )
