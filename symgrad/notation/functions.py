"""How functions are written, one row for each: by name, as a sign, in a fence, as a root, a power or cases."""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from msgspec import Struct

Form: TypeAlias = Literal[
    "name", "sign", "fence", "root", "exponential", "logarithm", "cases", "indicator", "power", "infix", "unit",
]  # fmt: skip


class Written(Struct, frozen=True):
    """How one function is written.

    Attributes:
        name: As problems write it.
        form: name(x), σ(x), |x|, √x, eˣ, log x, a brace of cases, 1[·], Aᵖ, A ⊗ B, or a unit vector.
        text: The upright name, for ``sign`` and ``infix`` the key of the symbol, for ``power`` what is above.
        fence: The keys of the two delimiters.
    """

    name: str
    form: Form = "name"
    text: str = ""
    fence: tuple[str, str] = ("(", ")")


def _named(*names: str) -> Iterable[Written]:
    return (Written(n, text=n) for n in names)


_ROWS = (
    *_named("tanh", "sin", "cos", "relu", "softplus", "erf", "max", "min", "sign", "det", "softmax", "logsumexp"),
    *_named("vec", "reshape", "size", "conv1d", "conv2d", "maxpool1d", "maxpool2d", "avgpool1d", "avgpool2d"),
    *_named("maxunpool1d", "maxunpool2d"),
    Written("conv_transpose1d", text="convtranspose1d"),
    Written("conv_transpose2d", text="convtranspose2d"),
    Written("sigmoid", "sign", "sigma"),
    Written("gelu", text="GELU"),
    Written("silu", text="SiLU"),
    Written("exp", "exponential", "exp"),
    Written("log", "logarithm", "log"),
    Written("sqrt", "root", "sqrt"),
    Written("abs", "fence", "abs", ("|", "|)")),
    Written("norm", "fence", "norm", ("norm", "norm)")),
    Written("spectral_norm", "fence", "norm", ("norm", "norm)")),
    Written("column_norm", "fence", "norm", ("norm", "norm)")),
    Written("row_norm", "fence", "norm", ("norm", "norm)")),
    Written("floor", "fence", "floor", ("floor", "floor)")),
    Written("ceil", "fence", "ceil", ("ceil", "ceil)")),
    Written("where", "cases", "where"),
    Written("indicator", "indicator", "indicator"),
    Written("trace", text="tr"),
    Written("diag", text="diag"),
    Written("diagpart", text="diag"),
    Written("inv", "power", "-1"),
    Written("kron", "infix", "otimes"),
    Written("cross_entropy", text="CE"),
    Written("one_hot", "unit", "e"),
)

FUNCTIONS: Final = MappingProxyType({row.name: row for row in _ROWS})


def written(name: str) -> Written:
    """The row of a function; one that has none is written by its name."""
    return FUNCTIONS.get(name) or Written(name, text=name)
