"""From a problem file to a problem: names, then declarations, then definitions, then questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from symgrad.errors import Diagnostic, ProblemError
from symgrad.problem.boundaries import check_members
from symgrad.problem.circles import circles
from symgrad.problem.collect import Collected, collect
from symgrad.problem.declarations import Declared, constants, declaration, read_declarations, read_steps
from symgrad.problem.definitions import (
    infer_shapes,
    read_definitions,
    read_heads,
    settle_facts,
)
from symgrad.problem.document import load_source, parse_document
from symgrad.problem.expressions import read
from symgrad.problem.heads import Head
from symgrad.problem.model import Conventions, Declaration, Problem
from symgrad.problem.names import Names, Unknown
from symgrad.problem.probability import facts, table
from symgrad.problem.questions import read_assumptions, read_questions
from symgrad.problem.records import ProblemDocument
from symgrad.problem.scope import Scope
from symgrad.problem.texts import free_names, walk
from symgrad.syntax.tree import Name, Subscript
from symgrad.syntax.unparse import unparse
from symgrad.tensor.system import System


def load_problem(path_or_text: Path | str) -> Problem:
    """The problem in a file, or in a YAML text, which is what has several lines.

    Raises:
        ProblemError: the file is wrong; the error holds everything that is.
    """
    return elaborate(parse_document(load_source(path_or_text)))


def elaborate(document: ProblemDocument) -> Problem:
    """The problem that a document declares.

    Raises:
        ProblemError: names, shapes or meanings are wrong; the error holds everything that is.
    """
    collected = collect(document)
    names = collected.names
    scope = Scope(names, read)
    read_steps(document, scope)
    declared = read_declarations(collected.declared, collected.heads, scope)
    _check_cycles(collected.heads, names)
    defined = read_heads(collected.heads, scope)
    _lone_numbers(declared)
    infer_shapes(defined, names)
    settle_facts(defined, names)
    found = read_definitions(defined, names)
    implied = check_members(found, {(d.family.name, d.member.pattern): d for d in defined}, names)
    questions = read_questions(document.questions, scope)
    assumptions = read_assumptions(document.assume, scope)
    if names.diagnostics:
        raise ProblemError(_ordered(names.diagnostics))
    given = [d for one in declared for d in constants(one)]
    records = [declaration(one) for one in declared] + implied + [_unknown(u) for u in names.densities.values()]
    return Problem(
        name=Path(document.source.name).stem,
        title=document.title,
        about=document.about,
        source=document.source,
        document=document,
        system=System((*given, *found), names.steps),
        declarations=_by_name(records),
        sizes=names.sizes,
        steps=names.steps,
        questions=questions,
        assumptions=assumptions,
        conventions=Conventions(document.layout, document.index_base, document.relu_at_zero),
        latex=_latex(collected, document),
        facts={name: family.facts for name, family in names.families.items()}
        | {name: facts(unknown) for name, unknown in names.densities.items()},
    )


def _unknown(u: Unknown) -> Declaration:
    """The record of a density or an unknown function: the array of its values at the common points."""
    shape = table(u).shape
    return Declaration(u.name, (), shape, facts(u), u.latex, None, False, u.place, about=u.about, arguments=u.arguments)


def _by_name(records: Sequence[Declaration]) -> dict[str, tuple[Declaration, ...]]:
    names = dict.fromkeys(record.name for record in records)
    return {name: tuple(r for r in records if r.name == name) for name in names}


def _latex(collected: Collected, document: ProblemDocument) -> dict[str, str]:
    found: dict[str, str] = {}
    for symbol in document.symbols:
        if symbol.latex is not None:
            key = symbol.key
            base = key.base if isinstance(key, Subscript) else getattr(key, "func", key)
            found.setdefault(getattr(base, "id", symbol.text), symbol.latex)
    return found


def _lone_numbers(declared: Sequence[Declared]) -> None:
    """A number that fills a family of which nothing else is known is a scalar."""
    for one in declared:
        if one.member.shape is None and one.member.filled and not one.family.defined:
            known = next((m.shape for m in one.family.members if m.shape is not None), ())
            one.member.shape = known


def _check_cycles(heads: Sequence[Head], names: Names) -> None:
    """Quantities that are defined by each other, at one step: said once for each circle, all are broken."""
    lines = Counter(h.name for h in heads)
    single = {h.name: h for h in heads if not h.steps or lines[h.name] == 1}
    needs = {
        name: [
            n
            for n in _read_here(h)
            if n in single and bool(single[n].steps) == bool(h.steps) and not (h.steps and n == name)
        ]
        for name, h in single.items()
    }
    for circle in circles(needs):
        first = single[circle[0]]
        path = " → ".join([*circle, circle[0]]) if len(circle) > 1 else "itself"
        where = " at the same step" if first.steps else ""
        names.complain(f"{circle[0]!r} is defined by {path}{where}", first.tree.target.place)
        names.broken.update(circle)


def _read_here(head: Head) -> list[str]:
    """The names that a definition reads without steps, or at its own steps."""
    if not head.steps:
        return [n.id for n in free_names(head.tree.body)]
    own = [unparse(s) for s in head.steps]
    return [
        node.base.id
        for node in walk(head.tree.body)
        if isinstance(node, Subscript)
        and isinstance(node.base, Name)
        and [unparse(s) for s in node.items[: len(own)]] == own
    ]


def _ordered(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    unique = dict.fromkeys(diagnostics)
    return sorted(unique, key=lambda d: d.place.resolved().start if d.place else 0)
