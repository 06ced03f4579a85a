"""The namespace of a problem: what each name is, before any expression is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symgrad.errors import ProblemError, near
from symgrad.problem.names import Family, Names, UserFunction
from symgrad.problem.records import ProblemDocument, RawSymbol
from symgrad.problem.texts import free_names, read_definition, read_expression, subscripts, walk
from symgrad.source import Place, Source
from symgrad.syntax.tree import Binary, Call, Definition, Keyword, Name, Number, Span, Subscript, Tree
from symgrad.tensor.integers import index_symbol, size_symbol

_RESERVED = frozenset({"loss", "grad", "jacobian"})


@dataclass(frozen=True, slots=True)
class Head:
    """The left side of a definition: its steps, then the names of its components."""

    name: str
    steps: tuple[Tree, ...]
    components: tuple[Name, ...]
    tree: Definition
    text: str


@dataclass(slots=True)
class Collected:
    """The names of a problem, with what is declared and defined, in the author's order."""

    names: Names
    declared: list[RawSymbol]
    heads: list[Head]


def collect(document: ProblemDocument) -> Collected:
    """Find out what each name is; what is wrong is noted in the names."""
    names = Names(index_base=document.index_base, relu_at_zero=document.relu_at_zero)
    for step in document.steps:
        if names.claim(step.name, "step", step.place):
            names.indices[step.name] = index_symbol(step.name)
    declared = [symbol for symbol in document.symbols if _declare(symbol, names)]
    trees = [tree for source in document.model if (tree := _definition(source, names)) is not None]
    for tree in trees:
        _claim_target(tree, names)
    _sizes(document, declared, names)
    for symbol in declared:
        _open_indices(symbol, names)
    heads = [head for tree in trees if (head := _head(tree, names)) is not None]
    _sizes_in_use(document, trees, names)
    return Collected(names, declared, heads)


# Declarations


def _declare(symbol: RawSymbol, names: Names) -> bool:
    """Take up a declared symbol; False for densities and functions, and where it is wrong."""
    facts = {fact.text for fact in symbol.facts}
    match symbol.key:
        case Call(func, _, _):
            kind = "density" if "density" in facts else "function"
            if not facts & {"density", "function"}:
                message = f"say what {symbol.text} is: {{is: density}} or {{is: function}}"
                names.complain(message, symbol.place)
            if names.claim(func.id, kind, symbol.place):
                names.densities[func.id] = kind
            return False
        case Name(name):
            return _member_of(name, 0, symbol, names)
        case Subscript(Name(name), items):
            return _member_of(name, len(items), symbol, names)
    return False


def _member_of(name: str, arity: int, symbol: RawSymbol, names: Names) -> bool:
    if not names.claim(name, "symbol", symbol.place):
        return False
    family = names.families.setdefault(name, Family(name, arity, symbol.place))
    if family.arity != arity:
        how = f"{_subscripts(arity)} here and {_subscripts(family.arity)} in line {family.place.line}"
        names.complain(f"{name!r} has {how}", symbol.place)
        return False
    return True


def _subscripts(count: int) -> str:
    return "no subscripts" if count == 0 else f"{count} subscript{'s' * (count > 1)}"


def _definition(source: Source, names: Names) -> Definition | None:
    try:
        return read_definition(source)
    except ProblemError as error:
        names.note(error.diagnostics)
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
                yield from free_names(read_expression(source))
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
    """A name that is used only as an end of a range, or as the factor of an index, is a size."""
    known = [name for name in names.kinds if name not in names.functions]
    for tree in (*trees, *_question_trees(document)):
        used = [name for span in _spans(tree) for name in free_names(span)]
        used += [name for _, item in subscripts(tree) for name in _factors(item)]
        own = {k.name.id for node in walk(tree) for k in _keywords(node)}
        own |= {name.id for name in free_names(tree.target)} if isinstance(tree, Definition) else set()
        for name in used:
            if name.id not in names.kinds and name.id not in own and near(name.id, known) is None:
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


def _factors(item: Tree) -> Iterator[Name]:
    """Names that multiply something: s in x[k + s*(r-1)]."""
    for node in walk(item):
        if isinstance(node, Binary) and node.op == "*":
            for side, other in ((node.left, node.right), (node.right, node.left)):
                if isinstance(side, Name) and not isinstance(other, Number):
                    yield side


def _question_trees(document: ProblemDocument) -> Iterator[Tree]:
    for question in document.questions:
        for name in ("of", "wrt", "left", "right", "loss"):
            for source in question.sources(name):
                try:
                    yield read_expression(source)
                except ProblemError:
                    continue


# Left sides


def _head(tree: Definition, names: Names) -> Head | None:
    """The left side of a definition; None for functions, and where it is wrong."""
    target = tree.target
    if isinstance(target, Call):
        _check_function(tree, names)
        return None
    name, items = (target.id, ()) if isinstance(target, Name) else (_base(target), target.items)
    kind = names.kinds.get(name)
    if kind is None or kind[0] not in ("symbol", "quantity") or name in names.sizes:
        names.broken.add(name)
        return None
    family = names.families.get(name)
    count = family.arity if family is not None else _steps_in(items, names)
    if family is not None and len(items) < family.arity:
        how = f"{_subscripts(len(items))} here and {_subscripts(family.arity)} in line {family.place.line}"
        names.complain(f"{name!r} has {how}", target.place)
        names.broken.add(name)
        return None
    steps, rest = items[:count], items[count:]
    components = tuple(item for item in rest if isinstance(item, Name) and item.id not in names.sizes)
    if len(components) < len(rest) or any(isinstance(item, Span) for item in steps):
        message = "on the left side of a definition stand steps, then indices of components"
        names.complain(message, target.place)
        names.broken.add(name)
        return None
    if family is None:
        names.families[name] = Family(name, count, target.place)
    return Head(name, tuple(steps), components, tree, _written(target.place))


def _base(target: Subscript) -> str:
    return target.base.id if isinstance(target.base, Name) else ""


def _written(place: Place) -> str:
    return " ".join(place.text.split())


def _steps_in(items: tuple[Tree, ...], names: Names) -> int:
    """How many of the subscripts are steps: those up to the last one that is no name of a component."""
    count = 0
    for at, item in enumerate(items):
        if not isinstance(item, Name) or item.id in names.indices or item.id in names.sizes:
            count = at + 1
    return count


def _check_function(tree: Definition, names: Names) -> None:
    """The body of a function mentions its arguments and names of the problem."""
    if tree.binders or tree.conditions:
        names.complain("a function is defined without ranges", tree.target.place)
    if isinstance(tree.target, Call):
        parameters = frozenset(arg.id for arg in tree.target.args if isinstance(arg, Name))
        for name in free_names(tree.body, parameters):
            if name.id not in names.kinds and name.id not in ("pi", "inf", "fro"):
                known = [*names.kinds, *parameters]
                message = f"{name.id!r} is neither declared nor defined"
                names.complain(message, name.place, near(name.id, known))
                names.broken.add(tree.target.func.id)
                names.functions.pop(tree.target.func.id, None)
