"""Imports go one way, there are no circles, and none stand inside functions."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "symgrad"
MODULES = sorted(ROOT.rglob("*.py"))

LAYERS: dict[str, set[str]] = {
    "source": set(),
    "errors": {"source"},
    "consing": set(),
    "files": {"errors"},
    "lazy": set(),
    "limits": {"errors"},
    "tensor": {"errors", "source", "consing"},
    "calculus": {"tensor"},
    "syntax": {"tensor"},
    "problem": {"tensor", "syntax"},
    "notation": {"tensor"},
    "codegen": {"tensor"},
    "derivation": {"calculus", "problem", "lazy", "limits"},
    "sheet": {"derivation", "notation", "codegen"},
    "verification": {"derivation", "sheet"},
    "pipeline": {"sheet", "verification", "files"},
    "api": {"pipeline"},
    "cli": {"pipeline", "files", "limits"},
    "__main__": {"cli"},
    "__init__": {"api"},
}
"""What each layer stands on directly; it may import all of what these stand on, too."""

INSIDE: dict[str, dict[str, set[str]]] = {
    "derivation": {
        "identities": set(),
        "solutions": set(),
        "differentiation": set(),
        "numbers": {"identities"},
        "limits": {"numbers"},
        "structure": {"differentiation"},
        "optima": {"differentiation", "identities"},
        "plots": {"numbers", "optima"},
    },
    "verification": {
        "documents": set(),
        "meaning": set(),
        "judging": {"documents", "meaning"},
        "tables": {"documents", "judging", "meaning"},
        "diagnosis": {"judging", "meaning"},
        "reports": {"documents", "judging"},
    },
}
"""Within a layer, what each package stands on beside the modules that all of them share."""


def layer(name: str) -> str:
    """The layer of a dotted module name below symgrad."""
    return name.split(".")[0] or "__init__"


def below(name: str) -> set[str]:
    found = set(LAYERS[name])
    for other in LAYERS[name]:
        found |= below(other)
    return found


def dotted(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts)


def imported(path: Path, whole: bool = True) -> set[str]:
    """The symgrad modules that a file imports, as dotted names below symgrad."""
    names = {dotted(p) for p in MODULES}
    out: set[str] = set()
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree) if whole else tree.body:
        match node:
            case ast.Import(names=aliases):
                out |= {a.name.removeprefix("symgrad.") for a in aliases if a.name.startswith("symgrad.")}
            case ast.ImportFrom(module=str(module), names=aliases, level=0) if module.split(".")[0] == "symgrad":
                base = module.removeprefix("symgrad").lstrip(".")
                for a in aliases:
                    deeper = f"{base}.{a.name}".lstrip(".")
                    out.add(deeper if deeper in names else base or "__init__")
            case ast.Call(func=ast.Name(id="later"), args=[ast.Constant(value=str(place))]) if (
                whole and place.startswith("symgrad.")
            ):
                out.add(place.split(":")[0].removeprefix("symgrad."))
    return out


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_layer_imports_only_what_lies_below_it(path: Path) -> None:
    own = layer(dotted(path))
    assert {layer(name) for name in imported(path)} <= below(own) | {own}


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_no_import_stands_inside_a_function(path: Path) -> None:
    inside = [
        node.lineno
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == []


def test_only_the_lazy_doors_import_by_name() -> None:
    lazy = {dotted(p) for p in MODULES if "import_module" in p.read_text() or "__import__" in p.read_text()}
    assert lazy == {"__init__", "cli", "lazy"}


def test_relative_imports_are_not_used() -> None:
    relative = [
        (dotted(p), node.lineno)
        for p in MODULES
        for node in ast.walk(ast.parse(p.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_no_module_is_imported_by_what_it_imports() -> None:
    graph = {dotted(p): imported(p, whole=False) for p in MODULES}
    state: dict[str, str] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert state.get(name) != "open", " -> ".join((*path, name))
        if name in state or name not in graph:
            return
        state[name] = "open"
        for other in sorted(graph[name]):
            visit(other, (*path, name))
        state[name] = "done"

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", [p for p in MODULES if p.relative_to(ROOT).parts[0] in INSIDE], ids=dotted)
def test_packages_inside_a_layer_import_downwards(path: Path) -> None:
    outer, own, *_ = [*dotted(path).split("."), ""]
    allowed = INSIDE[outer].get(own)
    if allowed is None:
        return
    packages = {n.split(".")[1] for n in imported(path) if n.startswith(f"{outer}.")} & set(INSIDE[outer])
    assert packages <= allowed | {own}
