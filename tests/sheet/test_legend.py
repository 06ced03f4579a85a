"""Signs that are explained where they are used, and only there."""

import pytest

from symgrad.notation.plain import plain
from symgrad.notation.read import read
from symgrad.sheet.document import Paragraph
from symgrad.sheet.legend import legend
from symgrad.tensor import build as b
from symgrad.tensor.functions.construct import one_hot
from symgrad.tensor.integers import size_symbol
from symgrad.tensor.nodes import Expr

n = size_symbol("n")
x, y, z = (b.var(name, (), (n,)) for name in "xyz")
s = b.var("s")
ODOT = "⊙ multiplies entry by entry"
ONES = "𝟏 is the vector of ones"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (b.add(x, b.mul(s, y)), []),
        (b.mul(x, y), [ODOT]),
        (b.power(x, b.num(3)), [ODOT]),
        (b.div(x, y), ["⊘ divides entry by entry"]),
        (b.mul(x, b.div(y, z)), ["⊙ and ⊘ multiply and divide entry by entry"]),
        (b.mul(s, b.ones((n,))), [ONES]),
        (b.mul(x, b.compare(">", y, b.ZERO)), [ODOT, "𝟏[·] is 1 where the condition holds, else 0"]),
        (b.mul(s, one_hot(2, n)), ["𝐞ⱼ is the jth unit vector"]),
        (b.deriv(s, x, "immediate", [y]), ["∂⁺ is an immediate partial: other nodes are held fixed"]),
    ],
    ids=["none", "product", "power", "quotient", "both", "ones", "indicator", "unit", "immediate"],
)
def test_signs_are_said_where_they_stand(shown: Expr, expected: list[str]) -> None:
    said = legend([Paragraph(("so ", read(shown)))])
    assert ["".join(w if isinstance(w, str) else plain(w) for w in words) for words in said] == expected
