"""Questions: their fields as expressions over the names of the problem, and over indices they leave open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy
from msgspec.structs import replace

from symgrad.errors import ProblemError
from symgrad.problem.calls import is_variable
from symgrad.problem.conditions import condition
from symgrad.problem.fields import COMMON, QUESTION_KINDS
from symgrad.problem.forms import ANY_EXPRESSIONS, ASSIGNMENTS, EXPRESSION, EXPRESSIONS, NUMBER, ORDER, SETTINGS, number
from symgrad.problem.model import Asked, Condition, Given, Pending, Question, Setting
from symgrad.problem.names import Broken, Undetermined
from symgrad.problem.numbers import given
from symgrad.problem.records import RawQuestion, sources_of
from symgrad.problem.referring import complain_of_circles, pending
from symgrad.problem.scope import Scope
from symgrad.problem.texts import (
    index_names,
    read_definition,
    read_expression,
    read_limit,
    walk,
)
from symgrad.problem.yaml_tree import RawList, RawMap, RawNode, RawScalar
from symgrad.source import Source
from symgrad.syntax.reading import looks_like_limit
from symgrad.syntax.tree import Compare, Name, Span, Subscript, Tree, Unary
from symgrad.tensor import build as b
from symgrad.tensor.integers import index_symbol
from symgrad.tensor.nodes import Expr, Rel, Transpose, Var

_CONDITIONS = ("where", "subject_to", "assume")
_BY = {"derivative": ("wrt", "leave", "hold"), "update": ("wrt",), "bound": ("wrt",)}


def read_questions(questions: tuple[RawQuestion, ...], scope: Scope) -> tuple[Question, ...]:
    """All questions; what is wrong is noted."""
    ids = [question.id for question in questions]
    found = tuple(_question(question, ids, scope) for question in questions)
    complain_of_circles(found, scope.names)
    return found


def answered(question: Question, results: Mapping[tuple[str, str], Expr]) -> Question:
    """The question with the results of others, by id and part, in their places.

    Raises:
        ProblemError: they do not fit there.
    """
    assert question.scope is not None
    noted = question.scope.names.diagnostics
    before = len(noted)
    found = _question(question.raw, [name for name, _ in results], replace(question.scope, results=results))
    wrong = noted[before:]
    del noted[before:]
    if wrong:
        raise ProblemError(wrong)
    return found


def read_assumptions(sources: tuple[Source, ...], scope: Scope) -> tuple[Condition, ...]:
    """Facts written as conditions; what is wrong is noted."""
    found: list[Condition] = []
    for source in sources:
        try:
            tree = read_expression(source, scope.names.vocabulary)
            found.extend(condition(tree, _opened([tree], scope)))
        except ProblemError as error:
            scope.names.note(error.diagnostics)
        except (Broken, Undetermined):
            continue
    return tuple(found)


def _question(raw: RawQuestion, ids: list[str], scope: Scope) -> Question:
    kind = QUESTION_KINDS[raw.ask]
    inner = _given(raw, _opened(list(_trees(raw, scope)), scope))
    fields: dict[str, object] = {}
    for field in kind.all_fields:
        node = raw.get(field.name)
        if node is None or field in COMMON:
            continue
        try:
            waits = None if scope.results else pending(node, raw.id, ids, scope.names.vocabulary)
            fields[field.name] = waits or _field(field.name, field.form, node, raw, inner)
        except ProblemError as error:
            scope.names.note(error.diagnostics)
        except (Broken, Undetermined):
            continue
    points = raw.get("points")
    return Question(
        raw.id,
        raw.ask,
        fields,
        raw,
        raw.place,
        prompt=raw.text("prompt"),
        points=number(points) if isinstance(points, RawScalar) else None,
        note=raw.text("note"),
        hint=raw.text("hint"),
        assume=read_assumptions(raw.sources("assume"), inner),
        scope=scope if any(isinstance(v, Pending) for v in fields.values()) else None,
    )


# Open indices


def _trees(raw: RawQuestion, scope: Scope) -> Iterator[Tree]:
    for field in QUESTION_KINDS[raw.ask].all_fields:
        if field.form in (EXPRESSION, EXPRESSIONS, ANY_EXPRESSIONS):
            for source in raw.sources(field.name):
                try:
                    yield read_expression(source, scope.names.vocabulary)
                except ProblemError:
                    continue


def _opened(trees: list[Tree], scope: Scope) -> Scope:
    """The scope in which names that stand only in subscripts are indices, for every value of them."""
    names = scope.names
    inside = {name.id for tree in trees for name in index_names(tree)}
    bound = {name.id for tree in trees for node in walk(tree) for name in _bound(node)}
    known = {*names.kinds, *scope.bound, *bound}
    return scope.binding({name: index_symbol(name) for name in sorted(inside - known)})


def _bound(node: Tree) -> Iterator[Name]:
    for keyword in getattr(node, "keywords", ()):
        if isinstance(keyword.value, Span):
            yield keyword.name


def _given(raw: RawQuestion, scope: Scope) -> Scope:
    """The scope in which the relations of `where` hold; what is wrong with them is said with the field."""
    found: list[Rel] = []
    for source in raw.sources("where"):
        try:
            found.extend(
                c for c in condition(read_expression(source, scope.names.vocabulary), scope) if isinstance(c, Rel)
            )
        except (ProblemError, Broken, Undetermined):
            continue
    return replace(scope, given=tuple(found))


# Fields


def _field(name: str, form: object, node: RawNode, raw: RawQuestion, scope: Scope) -> object:
    if name in _CONDITIONS:
        return _conditions(node, scope)
    if name == "rate" and isinstance(node, RawScalar):
        return _setting_of_rule(node, raw, scope)
    if name == "with" and isinstance(node, RawMap):
        return {
            key.text: _setting_of_rule(value, raw, scope) for key, value in node.entries if isinstance(value, RawScalar)
        }
    if form is EXPRESSION and isinstance(node, RawScalar):
        return _asked(name, node.source, raw, scope)
    if form in (EXPRESSIONS, ANY_EXPRESSIONS):
        return tuple(_each(name, raw, scope))
    if form in (SETTINGS, ASSIGNMENTS):
        return tuple(_settings(node, scope))
    if form is ORDER and isinstance(node, RawScalar):
        return node.value
    if form is NUMBER and isinstance(node, RawScalar):
        return number(node)
    if isinstance(node, RawScalar):
        return node.text
    return node


def _each(name: str, raw: RawQuestion, scope: Scope) -> Iterator[Asked]:
    """The expressions of a list; what is wrong with one is noted, and the others are read."""
    for source in raw.sources(name):
        try:
            yield _asked(name, source, raw, scope)
        except ProblemError as error:
            scope.names.note(error.diagnostics)
        except (Broken, Undetermined):
            continue


def _setting_of_rule(node: RawScalar, raw: RawQuestion, scope: Scope) -> Asked:
    """A number, an expression, or a name of its own, which need not be declared: `rate: eta`."""
    tree = read_expression(node.source, scope.names.vocabulary)
    if isinstance(tree, Name) and tree.id not in scope.names.kinds:
        return Asked(b.var(tree.id, (), (), ("constant",)), tree.id, tree.place, tree)
    return _asked("rate", node.source, raw, scope)


def _conditions(node: RawNode, scope: Scope) -> object:
    found: list[object] = []
    for source in sources_of(node):
        found.extend(condition(read_expression(source, scope.names.vocabulary), scope))
    return tuple(found)


def _asked(name: str, source: Source, raw: RawQuestion, scope: Scope) -> Asked:
    tree = read_expression(source, scope.names.vocabulary)
    expr = scope.expr(tree)
    if isinstance(expr, Transpose) and isinstance(expr.arg, Var) and isinstance(tree, Name | Subscript):
        expr = expr.arg
    if name in _BY.get(raw.ask, ()) and not is_variable(expr):
        message = f"{name!r} names a symbol, a quantity of the model, or an entry of one"
        raise ProblemError(message, tree.place)
    if isinstance(tree, Compare) and raw.ask == "derivative":
        raise ProblemError("a comparison has no derivative", tree.place)
    return Asked(expr, " ".join(source.text.split()), tree.place, tree)


# Settings


def _settings(node: RawNode, scope: Scope) -> Iterator[Setting]:
    match node:
        case RawMap(entries):
            for key, value in entries:
                yield _assignment(
                    read_expression(key.source, scope.names.vocabulary),
                    given(value, scope, arrays=True),
                    key.source,
                    scope,
                )
        case RawList(items):
            for item in items:
                yield from _settings(item, scope)
        case RawScalar():
            yield _setting(node.source, scope)


def _setting(source: Source, scope: Scope) -> Setting:
    """`gamma = 0` or `tau -> 0+`; a point alone, `inf`, is that of the one variable there is."""
    if looks_like_limit(source.text):
        limit = read_limit(source, scope.names.vocabulary)
        point, infinite = _point(limit.target, scope), _infinite(limit.target)
        return _assignment(limit.var, point, source, scope, limit.side, infinite)
    if "=" in source.text:
        definition = read_definition(source, scope.names.vocabulary)
        infinite = _infinite(definition.body)
        return _assignment(definition.target, _point(definition.body, scope), source, scope, None, infinite)
    tree = read_expression(source, scope.names.vocabulary)
    return Setting("", None, _point(tree, scope), source.text.strip(), tree.place, "", _infinite(tree))


def _infinite(tree: Tree) -> int:
    match tree:
        case Name("inf"):
            return 1
        case Unary(op, operand):
            return _infinite(operand) * (-1 if op == "-" else 1)
    return 0


def _point(tree: Tree, scope: Scope) -> Given:
    return Given((), ()) if _infinite(tree) else Given((), (scope.expr(tree),))


def _assignment(
    tree: Tree, value: Given, source: Source, scope: Scope, approach: str | None = None, infinite: int = 0
) -> Setting:
    target, name = _target(tree, scope)
    return Setting(name, target, value, " ".join(source.text.split()), tree.place, approach, infinite)


def _target(tree: Tree, scope: Scope) -> tuple[Expr | sympy.Symbol | None, str]:
    """What is set: a node, an integer symbol, or, without subscripts, a whole family."""
    base = tree.base if isinstance(tree, Subscript) else tree
    name = base.id if isinstance(base, Name) else ""
    names = scope.names
    if isinstance(tree, Name):
        symbol = scope.index(name)
        if symbol is not None:
            return symbol, name
        family = names.families.get(name)
        if family is not None and family.arity:
            return None, name
    return scope.expr(tree), name
