"""Docstrings of generated functions: the mathematics in one line, then every argument with its shape."""

import textwrap
from collections.abc import Mapping

import sympy

from symgrad.codegen.model import Input, Model
from symgrad.codegen.names import identifier
from symgrad.codegen.program import Program
from symgrad.codegen.sizes import dimensions
from symgrad.codegen.text import WIDTH
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import Shape


def docstring(program: Program, model: Model) -> list[str]:
    """The lines of a function's docstring."""
    first = _sentence(program.about or f"The value of {program.name}.")
    rows = [_argument(i, model) for i in model.inputs]
    rows += [_integer(s, model) for s in program.integers]
    rows = list(dict.fromkeys(rows))
    returns = _returns(program, model)
    lines = [f'    """{first}', ""]
    if rows:
        lines += ["    Args:", *(f"        {row}" for row in rows), ""]
    return [*lines, "    Returns:", *_folded(returns, 8), '    """']


def _sentence(text: str) -> str:
    one = " ".join(text.replace("\\", "\\\\").replace('"', "'").split())
    one = one if one.endswith(".") else f"{one}."
    return one if len(one) + 7 <= WIDTH else "\n".join(_folded(one, 4)).strip()


def _folded(text: str, indent: int) -> list[str]:
    """A sentence over as many lines as it takes."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent, break_long_words=False
    )


def _argument(i: Input, model: Model) -> str:
    sizes = [d.size for d in dimensions([i])]
    over = ", ".join(f"{x.symbol} = {_show(x.lo)}..{_show(x.hi)}" for x in i.ranges)
    text = f"{i.argument}: {_words(tuple(sizes))}"
    return f"{text}, rows {over}" if over else text


def _integer(s: sympy.Symbol, model: Model) -> str:
    """An open step with what is known of it, a size without."""
    known = next((x for x in model.open if x.symbol == s and x.hi != sympy.oo), None)
    return f"{identifier(s.name)}: an integer" + (f", {_show(known.lo)}..{_show(known.hi)}" if known else "")


def _words(shape: Shape) -> str:
    if not shape:
        return "a number"
    comma = "," if len(shape) == 1 else ""
    return f"({', '.join(_show(s) for s in shape)}{comma})"


def _show(value: Int) -> str:
    return str(value).replace("**", "^")


def _returns(program: Program, model: Model) -> str:
    if not isinstance(program.outputs, Mapping):
        (only,) = model.outputs.values()
        return f"{_words(only.shape)}."
    shapes = ", ".join(f"{key} {_words(e.shape)}" for key, e in model.outputs.items())
    return f"A dict: {shapes}."
