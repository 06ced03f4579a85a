"""Answers as programs: which inputs a value depends on, and the keyword argument that holds each of them."""

from collections.abc import Iterable, Mapping
from keyword import iskeyword

import sympy
from msgspec.structs import replace

from symgrad.codegen import assemble, compile_function
from symgrad.codegen.accesses import may_hit
from symgrad.codegen.model import Input, Model, normalise
from symgrad.codegen.names import identifier
from symgrad.codegen.plan import tighten
from symgrad.codegen.program import Leaf, Program
from symgrad.codegen.sizes import dimensions
from symgrad.derivation.steps import Derivation, Result
from symgrad.errors import QuestionError, SymgradError
from symgrad.problem.model import Declaration, Problem, Question
from symgrad.tensor.dependence import dependence
from symgrad.tensor.integers import Int, same, symbols_of
from symgrad.tensor.nodes import Binder, Call, Deriv, Expr, Eye, Full, Opaque, Rel, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import free_ints
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import find, postorder, variables


def program(problem: Problem, derivation: Derivation) -> Program:
    """The program of one answer: one expression, or one for each ``wrt`` where the question lists them.

    Raises:
        QuestionError: the answer is no value that can be computed.
    """
    question = derivation.question or problem.question(derivation.id)
    codes = [(r, r.code) for r in derivation.results if r.code is not None]
    if not codes or len(codes) < len(derivation.results):
        raise QuestionError(f"{derivation.id} is no array to be computed from the inputs")
    keyed = codes[0][1].outputs if len(codes) == 1 else ()
    parts = [(codes[0][1].system, x) for _, x in keyed] or [(code.system, code.value) for _, code in codes]
    system, values = _together(parts)
    named = question.wrt_is_list and all(r.wrt is not None for r, _ in codes)
    outputs: Mapping[str, Expr] | Expr = values[0]
    if keyed or named:
        keys = [key for key, _ in keyed] or [str(r.wrt) for r, _ in codes]
        outputs = dict(zip(keys, values, strict=True))
    integers = [i for _, code in codes for i in code.integers]
    conds = (*question.where, *question.assume, *problem.assumptions)
    known = tuple(c for c in conds if isinstance(c, Rel))
    draft = Program(_spelt(derivation.id), system, outputs, (), tuple(integers), known, _about(derivation.results))
    return _assembled(problem, draft)


def forward(problem: Problem, question: Question, name: str) -> Program:
    """The program of what a question is about, by the model alone.

    Raises:
        QuestionError: it is no array.
    """
    system, value = problem.system, question.of.expr
    return _assembled(problem, Program(name, system, value, (), about=question.of.text))


def _assembled(problem: Problem, draft: Program) -> Program:
    """The program with the arguments that its outputs depend on."""
    values = [*draft.outputs.values()] if isinstance(draft.outputs, Mapping) else [draft.outputs]
    draft = replace(draft, system=_computable(draft.system, values))
    candidates = (*_declared(problem), *_undeclared(problem, draft.system, values), *_partials(draft.system, values))
    everything = replace(draft, leaves=candidates, integers=_open_steps(values, draft.system))
    used = _used(everything)
    integers = dict.fromkeys([*draft.integers, *everything.integers])
    for size in _unseen(used, everything):
        integers.setdefault(size)
    leaves = tuple(leaf for leaf, i in zip(candidates, used.inputs, strict=True) if _is_read(i, used))
    return replace(draft, leaves=leaves, integers=tuple(integers))


def numpy_module(problem: Problem, derivations: Iterable[Derivation], layout: str | None = None) -> str:
    """A module with a function for each question whose answer is computed; the others are named at its end.

    Args:
        problem: what was asked about.
        derivations: the answers.
        layout: a convention of print; arrays have the shape of.shape + wrt.shape in any of them.
    """
    functions, left_out = [], []
    for d in derivations:
        try:
            if d.status == "certified":
                functions.append(compile_function(program(problem, d)))
        except QuestionError as error:
            left_out.append(f"# {error.message}")
        except SymgradError as error:
            left_out.append(f"# {d.id} has no NumPy code: {error.message}")
    text = assemble(problem.title or problem.name, functions)
    return "\n\n".join([text, "\n".join(left_out) + "\n"]) if left_out else text


def _about(results: Iterable[Result]) -> str:
    texts = [f"∂{r.of}/∂{r.wrt}" if r.wrt is not None else r.of for r in results]
    return ", ".join(texts)


def _together(parts: list[tuple[System, Expr]]) -> tuple[System, list[Expr]]:
    """The systems in one; a definition in which they differ is kept under a name of its own."""
    (first, value), *others = parts
    definitions = list(first.definitions)
    values = [value]
    for k, (system, other) in enumerate(others, 2):
        known = {(d.family, d.indices): d for d in definitions}
        clashing = {
            d.family
            for d in system.definitions
            if (met := known.get((d.family, d.indices))) is not None and (met.body, met.ranges) != (d.body, d.ranges)
        }
        renamed = {family: f"{family}_{k}" for family in clashing}
        for d in system.definitions:
            made = _renamed(d, renamed)
            if (made.family, made.indices) not in known:
                definitions.append(made)
        values.append(_with_names(other, renamed))
    return System(tuple(definitions), first.steps), values


def _renamed(d: Definition, names: Mapping[str, str]) -> Definition:
    family = names.get(d.family, d.family)
    return replace(d, family=family, body=_with_names(d.body, names))


def _with_names(expr: Expr, names: Mapping[str, str]) -> Expr:
    def rule(x: Expr) -> Expr:
        return Var(names[x.name], x.subs, x.shape, x.facts) if isinstance(x, Var) and x.name in names else x

    return transform(expr, rule) if names else expr


# Arguments


def _declared(problem: Problem) -> tuple[Leaf, ...]:
    return tuple(
        Leaf(argument(d, problem), Var(d.name, d.pattern, d.shape, problem.facts.get(d.name, d.facts)), d.ranges)
        for d in problem.leaves
    )


def _undeclared(problem: Problem, system: System, values: Iterable[Expr]) -> tuple[Leaf, ...]:
    """What an answer brings along of its own, such as the rates and running means of an update rule."""
    read = [v for x in (*values, *(d.body for d in _live(system, tuple(values)))) for v in variables(x)]
    own = dict.fromkeys(
        v for v in read if not v.subs and not system.family(v.name) and not problem.declarations.get(v.name)
    )
    return tuple(Leaf(identifier(v.name), v, ()) for v in own)


def argument(d: Declaration, problem: Problem) -> str:
    """The keyword of a declared symbol.

    I for I[t], h0 for h[0], h_m1 for h[-1], hb_end for hb[T+1], h_tm1 for h[t-1] without a range.
    """
    ranged = {x.symbol for x in d.ranges}
    if any(symbols_of(p) & ranged for p in d.pattern) and not problem.system.family(d.name):
        fixed = [p for p in d.pattern if not symbols_of(p) & ranged]
    else:
        fixed = [p for p in d.pattern if not (isinstance(p, sympy.Symbol) and p in ranged)]
    name = d.name + "".join(_place(p, problem) for p in fixed)
    if not name.isidentifier():
        return identifier(name)
    return _spelt(name)


def _spelt(name: str) -> str:
    """A name that may be a keyword of Python: lambda_ for lambda."""
    return f"{name}_" if iskeyword(name) else name


def _place(step: Int, problem: Problem) -> str:
    if isinstance(step, int):
        return f"_m{-step}" if step < 0 else str(step)
    if any(same(step, x.hi + 1) for x in problem.steps.values() if not isinstance(x.hi, int)):
        return "_end"
    return "_" + str(step).replace(" ", "").replace("+", "p").replace("-", "m")


def _partials(system: System, values: Iterable[Expr]) -> tuple[Leaf, ...]:
    """The given partial derivatives of opaque losses, d_e_d_y for ∂e/∂y."""
    found: dict[str, Leaf] = {}
    for root in (*values, *(d.body for d in system.definitions)):
        for node in postorder(root, into=lambda x: not isinstance(x, Deriv)):
            if isinstance(node, Deriv) and isinstance(node.of, Var) and isinstance(node.wrt, Var):
                if not isinstance(system.body(node.of), Opaque):
                    continue
                leaf = _partial(node, node.wrt, node.of, system)
                found.setdefault(leaf.argument, leaf)
    return tuple(found.values())


def _partial(node: Deriv, wrt: Var, of: Var, system: System) -> Leaf:
    """The leaf of ∂of/∂wrt; over a sequence it holds all steps, whichever of them is asked for."""
    family = next((d for d in system.definitions if d.family == wrt.name and d.ranges), None)
    ranges = family.ranges if family is not None else _ranges_of(wrt, system)
    if family is not None and family.at(wrt.subs) is not None:
        wrt = family.target
    general = Deriv(of, wrt, node.kind, of.shape + wrt.shape, node.held)
    return Leaf(identifier(f"d_{of.name}_d_{wrt.name}"), general, ranges)


def _ranges_of(wrt: Var, system: System) -> tuple[Binder, ...]:
    return tuple(system.steps[s] for s in wrt.subs if isinstance(s, sympy.Symbol) and s in system.steps)


# What is used of them


def _open_steps(values: Iterable[Expr], system: System) -> tuple[sympy.Symbol, ...]:
    """Steps and indices that a value leaves open.

    Where a step has no range, x_t and h_{t-1} are arrays of their own, and t is counted with only where it is a number.
    """
    values = tuple(values)
    found = {s for v in values for s in _counted(v, system)}
    for d in _live(system, values):
        own = {s for i in d.indices for s in symbols_of(i)} | {x.symbol for x in d.ranges}
        ends = {s for x in d.ranges for end in (x.lo, x.hi) for s in symbols_of(end)}
        found |= (_counted(d.body, system) | ends) - own
    return tuple(sorted((s for s in found if not s.is_positive), key=lambda s: str(s.name)))


def _counted(root: Expr, system: System) -> frozenset[sympy.Symbol]:
    """The free symbols of an expression, without those that only name a member of a family without a range."""
    free = free_ints(root)
    if free <= system.steps.keys():
        return free
    nameless = transform(root, lambda x: Var(x.name, (), x.shape, x.facts) if isinstance(x, Var) else x)
    return (free & system.steps.keys()) | free_ints(nameless)


def _live(system: System, values: Iterable[Expr]) -> tuple[Definition, ...]:
    """The definitions that the values need."""
    waiting = [v.name for x in values for v in variables(x)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [v.name for d in system.family(name) for v in variables(d.body)]
    return tuple(d for d in system.definitions if d.family in seen)


def _computable(system: System, values: Iterable[Expr]) -> System:
    """The system without definitions that speak of derivatives, where the values do not need them."""
    needed = {d.family for d in _live(system, values)}
    kept = (d for d in system.definitions if d.family in needed or next(find(d.body, Deriv), None) is None)
    return System(tuple(kept), system.steps)


def _used(everything: Program) -> Model:
    return tighten(normalise(everything))


def _is_read(i: Input, model: Model) -> bool:
    return any(may_hit(a, i.target) for a in model.all_reads())


def _unseen(model: Model, everything: Program) -> list[sympy.Symbol]:
    """Sizes that are needed, but that the shape of no argument in use shows."""
    shown: set[sympy.Symbol] = set(everything.integers)
    for d in dimensions(i for i in model.inputs if _is_read(i, model)):
        shown |= symbols_of(d.size)
    needed: set[sympy.Symbol] = set()
    for root in (*model.outputs.values(), *(d.body for d in model.definitions)):
        needed |= _counted(root, everything.system)
        for x in postorder(root):
            if isinstance(x, Eye | Full) or (isinstance(x, Call) and x.fn == "one_hot"):
                needed |= {s for size in x.shape for s in symbols_of(size)} & dependence(root).symbols
    bound = {x.symbol for d in model.definitions for x in d.ranges}
    bound |= {s for d in model.definitions for i in d.indices for s in symbols_of(i)}
    return sorted(needed - shown - bound, key=lambda s: str(s.name))
