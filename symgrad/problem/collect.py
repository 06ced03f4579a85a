"""The namespace of a problem: what each name is, before any expression is read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from symgrad.errors import ProblemError, near
from symgrad.problem.forms import number
from symgrad.problem.heads import Head, read_head, subscript_count
from symgrad.problem.names import Family, Names, Unknown, UserFunction
from symgrad.problem.records import ProblemDocument, RawSymbol
from symgrad.problem.texts import free_names, index_names, read_definition, read_expression, subscripts, walk
from symgrad.problem.vocabulary import vocabulary_of
from symgrad.problem.yaml_tree import RawList, RawScalar
from symgrad.source import Source
from symgrad.syntax.tree import Binary, Call, Definition, Keyword, Name, Number, Span, Subscript, Tree
from symgrad.tensor.functions.layers import AXES
from symgrad.tensor.integers import index_symbol, size_symbol

_ASKED = ("of", "wrt", "left", "right", "loss")
_NAME = re.compile(r"\s*([^\W\d]\w*)")
_RESERVED = frozenset({"loss", "grad", "jacobian"})


class Collected(Struct):
    """The names of a problem, with what is declared and defined, in the author's order."""

    names: Names
    declared: list[RawSymbol]
    heads: list[Head]


def collect(document: ProblemDocument) -> Collected:
    """Find out what each name is; what is wrong is noted in the names."""
    names = Names(index_base=document.index_base, relu_at_zero=document.relu_at_zero)
    names.note(document.faults)
    names.broken |= document.broken
    names.vocabulary = vocabulary_of(document)
    for step in document.steps:
        if names.claim(step.name, "step", step.place):
            names.indices[step.name] = index_symbol(step.name)
    declared = [symbol for symbol in document.symbols if _declare(symbol, names)]
    _claim_variables(names)
    trees = [tree for source in document.model if (tree := _definition(source, names)) is not None]
    for tree in trees:
        _claim_target(tree, names)
    _sizes(document, declared, names)
    for symbol in declared:
        _open_indices(symbol, names)
    heads = [head for tree in trees if (head := read_head(tree, names)) is not None]
    _sizes_in_use(document, trees, names)
    return Collected(names, declared, heads)


# Declarations


def _declare(symbol: RawSymbol, names: Names) -> bool:
    """Take up a declared symbol; False for densities and functions, and where it is wrong."""
    facts = {fact.text for fact in symbol.facts}
    match symbol.key:
        case Call(func, args, _):
            kind = "density" if "density" in facts else "function"
            if not facts & {"density", "function"}:
                message = f"say what {symbol.text} is: {{is: density}} or {{is: function}}"
                names.complain(message, symbol.place)
            if names.claim(func.id, kind, symbol.place):
                names.densities[func.id] = _unknown(symbol, kind, func.id, args, names)
            return False
        case Name(name):
            return _member_of(name, 0, symbol, names)
        case Subscript(Name(name), items):
            return _member_of(name, len(items), symbol, names)
    return False


def _unknown(symbol: RawSymbol, kind: str, name: str, args: tuple[Tree, ...], names: Names) -> Unknown:
    """A density or an unknown function; its arguments are variables, which may be declared themselves."""
    arguments = tuple(arg.id for arg in args if isinstance(arg, Name))
    if len(arguments) < len(args) or len(set(arguments)) < len(arguments) or not arguments:
        names.complain(f"the arguments of {name} are names, each once", symbol.place)
    ends = symbol.range.items if isinstance(symbol.range, RawList) else ()
    numbers = [number(end) for end in ends if isinstance(end, RawScalar)]
    if symbol.range is not None and (len(numbers) != 2 or numbers[0] >= numbers[1]):
        names.complain("a range has two ends, [0, 1]", symbol.range.place)
    limits = (numbers[0], numbers[1]) if len(numbers) == 2 else None
    return Unknown(name, kind, arguments, limits, symbol.latex, symbol.about, symbol.place)


def _claim_variables(names: Names) -> None:
    """The arguments of densities that are not declared are variables."""
    for unknown in names.densities.values():
        for argument in unknown.arguments:
            if argument not in names.kinds:
                names.claim(argument, "variable", unknown.place)


def _member_of(name: str, arity: int, symbol: RawSymbol, names: Names) -> bool:
    if not names.claim(name, "symbol", symbol.place):
        return False
    family = names.families.setdefault(name, Family(name, arity, symbol.place))
    if family.arity != arity:
        how = f"{subscript_count(arity)} here and {subscript_count(family.arity)} in line {family.place.line}"
        names.complain(f"{name!r} has {how}", symbol.place)
        return False
    return True


def _definition(source: Source, names: Names) -> Definition | None:
    try:
        return read_definition(source, names.vocabulary)
    except ProblemError as error:
        names.note(error.diagnostics)
        target = _NAME.match(source.text)
        if target is not None:
            names.broken.add(target[1])
        return None


def _claim_target(tree: Definition, names: Names) -> None:
    match tree.target:
        case Call(func, args, _):
            parameters = tuple(arg.id for arg in args if isinstance(arg, Name))
            if len(set(parameters)) < len(parameters):
                names.complain(f"{func.id!r} has two arguments of one name", tree.target.place)
            if func.id in names.functions:
                first = names.functions[func.id].place.line
                message = f"{func.id!r} is defined twice; the first time in line {first}"
                names.complain(message, tree.target.place)
            elif func.id in _RESERVED:
                names.complain(f"{func.id!r} has a meaning of its own", func.place)
            elif names.claim(func.id, "function", tree.target.place):
                names.functions[func.id] = UserFunction(func.id, parameters, tree.body, tree.target.place)
        case Name() as name:
            _claim_quantity(name, names)
        case Subscript(Name() as name, _):
            _claim_quantity(name, names)


def _claim_quantity(name: Name, names: Names) -> None:
    kind = names.kinds.get(name.id)
    if kind is None or kind[0] != "symbol":
        names.claim(name.id, "quantity", name.place)


# Sizes and indices


def _sizes(document: ProblemDocument, declared: list[RawSymbol], names: Names) -> None:
    """Names in shapes, in the ranges of steps, and in ranges of declared members."""
    integers = {s.key.id for s in declared if isinstance(s.key, Name) and _is_integer(s)}
    for name in _size_names(document, names):
        kind = names.kinds.get(name.id)
        if name.id in integers:
            names.sizes[name.id] = size_symbol(name.id)
        elif kind is None or kind[0] == "size":
            names.claim(name.id, "size", name.place)
            names.sizes[name.id] = size_symbol(name.id)
        elif kind[0] != "step":
            names.claim(name.id, "size", name.place)
            names.broken.add(name.id)
    for symbol in declared:
        if isinstance(symbol.key, Name) and _is_integer(symbol):
            names.sizes.setdefault(symbol.key.id, size_symbol(symbol.key.id))


def _is_integer(symbol: RawSymbol) -> bool:
    return not symbol.shape and symbol.values is None and "integer" in {f.text for f in symbol.facts}


def _size_names(document: ProblemDocument, names: Names) -> Iterator[Name]:
    for symbol in document.symbols:
        for source in symbol.shape or ():
            try:
                yield from free_names(read_expression(source, names.vocabulary))
            except ProblemError as error:
                names.note(error.diagnostics)
        if isinstance(symbol.key, Subscript):
            for item in symbol.key.items:
                if isinstance(item, Span):
                    yield from free_names(item)
    for step in document.steps:
        yield from free_names(step.span)


def _open_indices(symbol: RawSymbol, names: Names) -> None:
    """`x[t]` without `steps` makes t an index that stays open."""
    if isinstance(symbol.key, Subscript):
        for item in symbol.key.items:
            for name in free_names(item):
                if name.id not in names.kinds:
                    names.claim(name.id, "index", name.place)
                    names.indices[name.id] = index_symbol(name.id)
                elif names.kinds[name.id][0] not in ("step", "index", "size") and name.id not in names.sizes:
                    names.claim(name.id, "index", name.place)


def _sizes_in_use(document: ProblemDocument, trees: list[Definition], names: Names) -> None:
    """A name that is used only as an end of a range, the factor of an index, or a layer's setting, is a size."""
    known = [name for name in names.kinds if name not in names.functions]
    for tree, opened in (*((tree, set[str]()) for tree in trees), *_question_trees(document, names)):
        used = [name for span in _spans(tree) for name in free_names(span)]
        used += [name for _, item in subscripts(tree) for name in _factors(item)]
        used += [name for setting in _layer_settings(tree) for name in free_names(setting)]
        own = {k.name.id for node in walk(tree) for k in _keywords(node)}
        own |= {name.id for name in free_names(tree.target)} if isinstance(tree, Definition) else set()
        for name in used:
            if (
                name.id not in names.kinds
                and name.id not in own | opened
                and (len(name.id) == 1 or near(name.id, known) is None)
            ):
                names.claim(name.id, "size", name.place)
                names.sizes[name.id] = size_symbol(name.id)


def _keywords(node: Tree) -> tuple[Keyword, ...]:
    match node:
        case Call(_, _, keywords) | Definition(_, _, keywords, _):
            return keywords
    return ()


def _spans(tree: Tree) -> Iterator[Tree]:
    for node in walk(tree):
        for keyword in _keywords(node):
            if isinstance(keyword.value, Span):
                yield keyword.value


def _layer_settings(tree: Tree) -> Iterator[Tree]:
    for node in walk(tree):
        if isinstance(node, Call) and node.func.id in AXES:
            yield from (k.value for k in node.keywords if k.name.id != "bias")


def _factors(item: Tree) -> Iterator[Name]:
    """Names that multiply something: s in x[k + s*(r-1)]."""
    for node in walk(item):
        if isinstance(node, Binary) and node.op == "*":
            for side, other in ((node.left, node.right), (node.right, node.left)):
                if isinstance(side, Name) and not isinstance(other, Number):
                    yield side


def _question_trees(document: ProblemDocument, names: Names) -> Iterator[tuple[Tree, set[str]]]:
    """The expressions of the questions, each with the names that its question leaves open as indices."""
    for question in document.questions:
        trees = [tree for name in _ASKED for tree in _readable(question.sources(name), names)]
        where = [*trees, *_readable(question.sources("where"), names)]
        opened = {name.id for tree in where for name in index_names(tree)}
        yield from ((tree, opened) for tree in trees)


def _readable(sources: tuple[Source, ...], names: Names) -> Iterator[Tree]:
    for source in sources:
        try:
            yield read_expression(source, names.vocabulary)
        except ProblemError:
            continue
