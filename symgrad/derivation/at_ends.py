"""Results for every end of the steps, put at the numbers that a problem gives."""

from msgspec.structs import replace

from symgrad.calculus.ends import Opened
from symgrad.derivation.steps import Result, mapped
from symgrad.tensor.nodes import Expr
from symgrad.tensor.reindex import reindex


def at_ends(result: Result, opened: Opened) -> Result:
    """A result that holds for every end, at the ends that the problem gives."""

    def change(x: Expr) -> Expr:
        return reindex(x, opened.values)

    assert result.left is not None
    assert result.value is not None
    blocks = tuple(mapped(x, change) for x in result.blocks)
    return replace(result, left=change(result.left), value=change(result.value), blocks=blocks)
