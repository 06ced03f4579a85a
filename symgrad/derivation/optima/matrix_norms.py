"""The norms of matrices in which a Jacobian is bounded: each below a product of norms, with its value on simple ones.

Source: Horn and Johnson, Matrix Analysis (2nd edition, 2013), section 5.6.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from symgrad.derivation.steps import Reason
from symgrad.tensor import build as b
from symgrad.tensor.functions.construct import column_norm, norm, row_norm, spectral_norm
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import Call, Expr, Var

_DIAGONAL: Final = "a diagonal matrix has the norm of its largest entry"


class MatrixNorm(Struct, frozen=True):
    """‖A‖ with ‖A B‖ ≤ ‖A‖ ‖B‖: of any matrix, of the identity, and of Aᵀ where that is another norm of A."""

    of: Callable[[Expr], Expr]
    eye: Callable[[Int], Expr]
    transposed: str
    product: Reason
    total: Reason

    def below(self, x: Expr) -> Expr | None:
        """The norm of a matrix of which it is known to be at most a number."""
        if self.of is spectral_norm and isinstance(x, Var) and "orthogonal" in x.facts:
            return b.ONE
        return b.div(b.ONE, b.num(2)) if self.of is not norm and is_softmax_jacobian(x) else None


def _one(size: Int) -> Expr:
    return b.ONE


def _words(name: str) -> tuple[Reason, Reason]:
    return (f"‖A B‖ ≤ ‖A‖ ‖B‖; {name}",), (f"‖A + B‖ ≤ ‖A‖ + ‖B‖, ‖A B‖ ≤ ‖A‖ ‖B‖; {name}",)


NORMS: Final[Mapping[str, MatrixNorm]] = MappingProxyType(
    {
        "2": MatrixNorm(spectral_norm, _one, "2", *_words(_DIAGONAL)),
        "1": MatrixNorm(column_norm, _one, "inf", *_words(f"the largest column sum; {_DIAGONAL}")),
        "inf": MatrixNorm(row_norm, _one, "1", *_words(f"the largest row sum; {_DIAGONAL}")),
        "fro": MatrixNorm(
            norm,
            lambda size: b.apply("sqrt", b.count(size)),
            "fro",
            *_words("beside another matrix a diagonal one counts with its largest entry"),
        ),
    }
)
"""By what a question calls them."""
SPELLINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "": "2",
        "2": "2",
        "spectral": "2",
        "1": "1",
        "inf": "inf",
        "oo": "inf",
        "fro": "fro",
        "frobenius": "fro",
        "F": "fro",
    }
)


SOFTMAX: Final[Reason] = ("; for probabilities p the rows of diag(p) − p pᵀ have absolute sums 2 pᵢ (1 − pᵢ) ≤ 1/2",)


def is_softmax_jacobian(x: Expr) -> bool:
    """diag(p) − p pᵀ for probabilities p: row i has the absolute sum 2 pᵢ (1 − pᵢ) ≤ 1/2, and it is symmetric."""
    for p in x.children:
        if isinstance(p, Call) and p.fn == "diag":
            v = p.args[0]
            known = (isinstance(v, Call) and v.fn == "softmax") or (isinstance(v, Var) and "probability" in v.facts)
            if known and v.order == 1 and x is b.sub(p, b.outer(v, v)):
                return True
    return False


def is_diagonal(x: Expr) -> bool:
    """Whether a factor is a diagonal matrix as it stands."""
    return isinstance(x, Call) and x.fn == "diag"
