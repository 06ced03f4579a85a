"""A program as the source of one Python function, and functions as a module."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import sympy
from msgspec import Struct

from symgrad.codegen import emit_arrays, emit_entrywise, emit_products, emit_ranges, guards
from symgrad.codegen.accesses import accesses
from symgrad.codegen.blocks import repeated, write
from symgrad.codegen.docstrings import docstring
from symgrad.codegen.emit import located, tensor
from symgrad.codegen.growing import named_by_step
from symgrad.codegen.hoist import hoist
from symgrad.codegen.model import Model, normalise
from symgrad.codegen.names import Names, identifier
from symgrad.codegen.plan import Once, plan, tighten
from symgrad.codegen.program import Program
from symgrad.codegen.simplify import drop_guards, inline
from symgrad.codegen.sizes import dimensions, size_lines
from symgrad.codegen.state import Scope, State
from symgrad.codegen.storage import stores
from symgrad.codegen.text import WIDTH, layout
from symgrad.tensor.integers import symbols_of
from symgrad.tensor.nodes import Add, Entry, Expr, Permute, Transpose, Var

RULES = (emit_arrays, emit_entrywise, emit_products, emit_ranges, guards)


class Function(Struct, frozen=True):
    """The source of one function and of the functions it needs beside NumPy."""

    source: str
    helpers: tuple[str, ...]


def compile_function(program: Program) -> Function:
    """The function of a program.

    Raises:
        QuestionError: no argument shows a size that is needed.
        InternalError: the definitions depend on each other in a circle, or something has no value.
    """
    model = named_by_step(tighten(normalise(program)))
    model = inline(drop_guards(model), products=True)
    model = inline(drop_guards(hoist(model)))
    names = Names(leaf.argument for leaf in program.leaves)
    sizes = _size_names(program, model, names)
    steps = plan(model)
    state = State(names, sizes, stores(model, steps, names))
    scope = Scope(model.open)
    plain = [part.definition.body for part in steps if isinstance(part, Once)]
    state.common = repeated([*plain, *model.outputs.values()])
    for part in steps:
        write(part, state, scope)
    if len(state.lines) > 3:
        state.gap()
    _outputs(program, model, state, scope)
    source = _assembled(program, model, state)
    return Function(source, _needed_helpers(state.helpers, source))


def _size_names(program: Program, model: Model, names: Names) -> dict[sympy.Symbol, str]:
    sizes: dict[sympy.Symbol, str] = {}
    for s in program.integers:
        sizes[s] = identifier(s.name)
        names.give(("size", s), sizes[s])
    for d in dimensions(model.inputs):
        for s in sorted(symbols_of(d.size), key=lambda s: str(s.name)):
            if s not in sizes:
                sizes[s] = names.of(("size", s), s.name)
    return sizes


def _outputs(program: Program, model: Model, state: State, scope: Scope) -> None:
    state.shared = state.common
    gradients = any(d.family.startswith(("δ", "∂")) for d in program.system.definitions)
    if not isinstance(program.outputs, Mapping):
        (only,) = model.outputs.values()
        code = tensor(only, state, Scope(scope.known, label="result"))
        text = f"np.array({code.text})" if _is_argument(only, model, state) else code.text
        state.line(f"return {text}")
        return
    made: dict[str, str] = {}
    for key, e in model.outputs.items():
        plain = identifier(re.sub(r"\W+", "_", key).strip("_") or "value")
        if isinstance(e, Add) and any(isinstance(a, Var) and a.name == key for a in e.args):
            wanted = f"new_{plain}"
        else:
            wanted = f"d{plain}" if gradients else plain
        code = tensor(e, state, Scope(scope.known, label=wanted))
        text = f"np.array({code.text})" if _is_argument(e, model, state) else code.text
        if text.isidentifier():
            made[key] = text
            continue
        name = state.names.fresh(wanted, (f"new_{wanted}",))
        state.line(f"{name} = {text}")
        made[key] = name
    state.line(f"return {_dictionary(made)}")


def _dictionary(made: Mapping[str, str]) -> str:
    """The names by key; what has a key such as at.x stands in a dictionary of its own under at."""
    items: dict[str, str | dict[str, str]] = {}
    for key, name in made.items():
        whole, dot, part = key.partition(".")
        if not dot:
            items[key] = name
        else:
            inner = items.setdefault(whole, {})
            assert isinstance(inner, dict)
            inner[part] = name
    texts = {key: x if isinstance(x, str) else _dictionary(x) for key, x in items.items()}
    return f"{{{', '.join(f'{_quoted(key)}: {text}' for key, text in texts.items())}}}"


def _quoted(key: str) -> str:
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_argument(e: Expr, model: Model, state: State) -> bool:
    """Whether a value would be (a view of) an argument rather than an array of its own."""
    while isinstance(e, Transpose | Permute | Entry):
        e = e.children[0]
    if not isinstance(e, Var):
        return False
    aliases = {d.family for d in model.definitions if isinstance(d.body, Var | Transpose | Permute | Entry)}
    return e.name in aliases or located(e, (), state)[0] in {i.argument for i in model.inputs}


def _assembled(program: Program, model: Model, state: State) -> str:
    needed = list(dict.fromkeys(leaf.argument for leaf in program.leaves))
    integers = [identifier(s.name) for s in program.integers]
    given = set(program.integers)
    body = _without_unused(state.lines)
    words = {word for line in body for word in re.findall(r"\w+", line)}
    used = {s for s in state.used if state.sizes[s] in words}
    sizes = size_lines(model.inputs, state.sizes, used, given)
    shown = {line.rpartition(" = ")[2].split(".")[0] for line in sizes}
    lines = _signature(program.name, [*needed, *integers])
    lines += docstring(program, model)
    read = _read(model)
    converted = [a for a in needed if a in read or a in shown]
    lines += _conversions(converted)
    lines += [line for text in sizes for line in layout(1, text)]
    if not lines[-1].endswith('"""') and body[0].startswith("    #"):
        lines.append("")
    return "\n".join([*lines, *body]) + "\n"


_RANGE = re.compile(r"^ +(\w+) = np\.arange\([^\n]*\)$")


def _without_unused(lines: list[str]) -> list[str]:
    """The statements without ranges of indices that nothing was picked by in the end."""
    while True:
        uses = Counter(word for line in lines for word in re.findall(r"\w+", line))
        kept = [x for x in lines if not ((made := _RANGE.match(x)) and uses[made[1]] == 1)]
        if len(kept) == len(lines):
            return lines
        lines = kept


def _needed_helpers(helpers: Iterable[str], source: str) -> tuple[str, ...]:
    """The helpers that a source, or another helper, calls."""
    kept: list[str] = []
    text = source
    for h in reversed(tuple(helpers)):
        if any(re.search(rf"\b{name}\(", text) for name in re.findall(r"^def (\w+)\(", h, re.MULTILINE)):
            kept.insert(0, h)
            text += h
    return tuple(kept)


def _conversions(arguments: list[str]) -> list[str]:
    if len(arguments) > 1:
        tuple_text = ", ".join(arguments)
        one = f"    {tuple_text} = (np.asarray(value, dtype=float) for value in ({tuple_text}))"
        if len(one) <= WIDTH:
            return [one]
    return [f"    {a} = np.asarray({a}, dtype=float)" for a in arguments]


def _read(model: Model) -> set[str]:
    names = {a.node.name for a in model.all_reads()}
    names |= {a.node.name for e in model.outputs.values() for a in accesses(e, ())}
    return {i.argument for i in model.inputs if i.family in names}


def _signature(name: str, arguments: list[str]) -> list[str]:
    if not arguments:
        return [f"def {name}():"]
    one = f"def {name}(*, {', '.join(arguments)}):"
    if len(one) <= WIDTH:
        return [one]
    inner = f"    *, {', '.join(arguments)}"
    if len(inner) <= WIDTH:
        return [f"def {name}(", inner, "):"]
    return [f"def {name}(", "    *,", *(f"    {a}," for a in arguments), "):"]


def function_source(program: Program) -> str:
    """The source of one function, without the helpers it may need."""
    return compile_function(program).source


def module(programs: Iterable[Program], title: str) -> str:
    """A module of functions that needs only NumPy; helper functions stand once, before those that use them."""
    return assemble(title, [compile_function(p) for p in programs])


def assemble(title: str, functions: Sequence[Function]) -> str:
    """The text of a module of compiled functions."""
    helpers = dict.fromkeys(h for f in functions for h in f.helpers)
    sources = [*helpers, *(f.source for f in functions)]
    imports = ["import math", ""] if any("math." in h for h in helpers) else []
    needs_numpy = any("np." in text for text in sources)
    head = [f'"""{_plain(title)}"""', "", *imports, *(["import numpy as np", ""] if needs_numpy else [])]
    return "\n".join([*head, *(f"\n{text.rstrip()}\n" for text in sources)])


def _plain(title: str) -> str:
    one = " ".join(title.replace("\\", "\\\\").replace('"', "'").split())
    return one if one.endswith((".", "!", "?")) else f"{one}."
