"""A result with every entry written out in SymPy, at numeric sizes."""

from collections.abc import Iterable, Mapping
from typing import Any

import sympy

from symgrad.derivation.steps import Introduced, Result
from symgrad.errors import QuestionError
from symgrad.tensor.dependence import dependence
from symgrad.tensor.nodes import Deriv, Expr, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import reindex
from symgrad.tensor.sympy_border import to_sympy


def explicit(result: Result, sizes: Mapping[str, int]) -> Any:
    """The value as a SymPy scalar, matrix or array; the entry of h_1 at 2 is the real symbol h_1[2].

    Raises:
        QuestionError: a size or step is missing, or the result is text.
    """
    if result.value is None:
        if _has_text(result.exact):
            raise QuestionError("the result is text, which is no value in SymPy")
        return sympy.sympify(result.exact)
    value = _without_names(result.value, result.where)
    needed = dependence(value).symbols
    missing = sorted({s.name for s in needed} - set(sizes))
    if missing:
        raise QuestionError(f"to_sympy also needs {', '.join(f'{name}=…' for name in missing)}")
    return to_sympy(value, {s: sizes[s.name] for s in needed}, _symbol)


def _symbol(node: Var, indices: tuple[int, ...]) -> sympy.Symbol:
    name = node.name + "".join(f"_{s}" for s in node.subs)
    inside = ",".join(str(i) for i in indices)
    return sympy.Symbol(f"{name}[{inside}]" if inside else name, real=True)


def _without_names(value: Expr, where: Iterable[Introduced]) -> Expr:
    """The value over the model's own nodes: introduced names written out, given partials as symbols."""
    introduced = {x.name.name: x for x in where}

    def rule(node: Expr) -> Expr:
        if isinstance(node, Deriv) and isinstance(node.of, Var) and isinstance(node.wrt, Var):
            return Var(f"d_{node.of.name}_d_{node.wrt.name}", node.wrt.subs, node.shape)
        if isinstance(node, Var) and node.name in introduced:
            x = introduced[node.name]
            pairs = zip(x.name.subs, node.subs, strict=True)
            return reindex(x.body, {p: s for p, s in pairs if isinstance(p, sympy.Symbol)})
        return node

    for _ in range(len(introduced) + 1):
        fresh = transform(value, rule, into=lambda node: not isinstance(node, Deriv))
        if fresh is value:
            break
        value = fresh
    return value


def _has_text(exact: Any) -> bool:
    """Whether text stands in a result: SymPy would run it as code."""
    return isinstance(exact, str) or (isinstance(exact, list | tuple) and any(map(_has_text, exact)))
