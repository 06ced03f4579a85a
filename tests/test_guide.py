"""The user guide: its examples are answered as it says, and its tables are those of the code.

``python tests/test_guide.py`` writes the tables anew.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

import symgrad
from symgrad.derivation.differentiation.optimisers import RULES
from symgrad.notation.latex import latex
from symgrad.notation.read import read
from symgrad.notation.tree import Tree
from symgrad.problem.calls import CALLS
from symgrad.problem.fields import COMMON, DOCUMENT, FACTS, QUESTION_KINDS, SYMBOL, Field
from symgrad.problem.latex_calls import LATEX_CALLS
from symgrad.sheet.formats import FORMATS
from symgrad.sheet.markdown_text import github, github_inline
from symgrad.sheet.reading import Reading
from symgrad.sheet.settings import FIELDS
from symgrad.sheet.words import with_formulas
from symgrad.tensor import build as b
from symgrad.tensor.functions import FUNCTIONS
from symgrad.tensor.scalars import SCALARS
from symgrad.verification.judging.verdicts import VERDICTS

PAGE = Path(__file__).parent.parent / "docs" / "guide.md"
GUIDE = PAGE.read_text()
MARK = re.compile(r"<!-- table: ([\w-]+) -->\n\n((?:\|.*\n)*)\n?")
BLOCK = re.compile(r"^```yaml\n(.*?)^```$|^```math\n(.*?)\n```$", re.DOTALL | re.MULTILINE)

NAMES = ("x", "yhat", "x_bar", "htilde", "theta", "W_f", "W__f", "x_0", "x_out", "W1", "KL_", "lambda_")
SYMBOLS = """
symbols:
  x: {shape: n}
  y: {shape: n}
  z: {shape: n}
  A: {shape: [n, n]}
  B: {shape: [n, n]}
  X: {shape: [m, n]}
  s: {}
  h[t]: {shape: n}
steps: {t: 1..T}
questions:
"""
EXPRESSIONS = (
    "A @ x", "x.T @ y", "x @ y.T", "A.T", "x * y", "x / y", "x**2", "s * x + 1", "(x - y) / sqrt(s)", "x > 0",
    "x[1]", "A[1, 2]", "A[:, 1]", "x[1..2]", "sum(x)", "mean(X, axis=0)", "norm(x)**2", "softmax(X, axis=1)",
    "where(x > 0, x, s * x)", "max(x, y)", "concat(x, y, axis=0)", "stack(x, y, z)", "sum(A[i, i] * x[i], i=1..n)",
    "prod(h[t].T @ x, t=1..3)", "x.T @ inv(A) @ x", "kron(A, B)", "one_hot(2, n)", "size(X, 0)",
)  # fmt: skip


def formula(tree: Tree) -> str:
    """A formula as GitHub shows it."""
    return github_inline(latex(tree))


def table(*rows: Sequence[str]) -> str:
    """A Markdown table of its header and its rows."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in lines)


def fields(header: str, rows: Sequence[Field]) -> str:
    return table((header, "what it says"), *((f"`{x.name}`{', needed' * x.required}", said(x)) for x in rows))


def said(x: Field) -> str:
    """What a field says, and the words that it may be."""
    forms = x.form.schema.get("anyOf", [x.form.schema])
    words = [f"`{w}`" for w in forms[0].get("enum", ()) if isinstance(w, str)]
    return f"{x.about}: {', '.join(words)}" if words and x.name != "is" else x.about


def names() -> str:
    return table(("name", "prints as"), *((f"`{x}`", formula(read(b.var(x)))) for x in NAMES))


def expressions() -> str:
    asked = "".join(f"  - {{id: q{k}, ask: shape, of: '{x}'}}\n" for k, x in enumerate(EXPRESSIONS))
    problem = symgrad.load(SYMBOLS + asked).problem
    reading = Reading.of(problem)
    exprs = [q.of.expr for q in problem.questions]
    spaces = [formula(reading.lies_in(x)) for x in exprs]
    shown = [formula(reading.math(x)) for x in exprs]
    return table(("write", "prints as", "lies in"), *zip([f"`{x}`" for x in EXPRESSIONS], shown, spaces, strict=True))


def scalars() -> str:
    rows = []
    for name, row in SCALARS.items():
        args = [b.compare(">", b.var("c"), b.ZERO), b.var("x"), b.var("y")][name != "where" :][: row.arity]
        why = "".join(w if isinstance(w, str) else formula(w) for w in with_formulas(row.reason))
        written = "c > 0, x, y" if name == "where" else ", ".join("xy"[: row.arity])
        rows.append((f"`{name}({written})`", formula(read(b.apply(name, *args))), why))
    return table(("write", "prints as", "its derivative"), *rows)


def tensors() -> str:
    rows = []
    for name, row in FUNCTIONS.items():
        lines = inspect.getdoc(row.construct) or ""
        rows.append((f"`{name}{_arguments(row.construct)}`", lines.split("\n")[0].rstrip(".")))
    return table(("write", "what it is"), *rows)


def _arguments(construct: Callable[..., object]) -> str:
    """The signature without types."""
    shown = []
    for p in inspect.signature(construct).parameters.values():
        default = "" if p.default is p.empty or p.default is None else f"={p.default}"
        optional = "=" if p.default is None else default
        shown.append(("..." if p.kind is p.VAR_POSITIONAL else p.name) + optional)
    return f"({', '.join(shown)})"


TABLES: dict[str, Callable[[], str]] = {
    "document": lambda: fields("field", DOCUMENT),
    "symbol": lambda: fields("field", SYMBOL),
    "common": lambda: fields("field", COMMON),
    "names": names,
    "expressions": expressions,
    "scalars": scalars,
    "tensors": tensors,
    **{kind.ask: (lambda kind=kind: fields("field", kind.fields)) for kind in QUESTION_KINDS.values()},
}


def first_column(heading: str) -> set[str]:
    """The code in the first column of the table with this heading."""
    rows = GUIDE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return {name for row in rows for name in re.findall("`([^`]+)`", row.split("|")[1])}


def examples() -> Iterator[tuple[str, list[str]]]:
    """The problems of the guide, a list of questions put to the problem above it, and the results that it states."""
    whole, problem, stated = "", "", []
    for yaml, display in BLOCK.findall(GUIDE):
        if display:
            stated.append(display)
            continue
        if problem:
            yield problem, stated
        stated = []
        whole = yaml if yaml.startswith("title:") else whole
        problem = yaml if "questions:" in yaml else f"{whole}questions:\n{yaml}" if yaml.startswith("- ") else ""
    if problem:
        yield problem, stated


EXAMPLES = list(examples())


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table_is_that_of_the_code(name: str) -> None:
    found = dict(MARK.findall(GUIDE))
    assert found[name] == TABLES[name]()


@pytest.mark.parametrize(
    ("heading", "known"),
    [("fact", FACTS), ("format", FORMATS), ("verdict", VERDICTS)],
    ids=["facts", "formats", "verdicts"],
)
def test_a_list_is_complete(heading: str, known: Sequence[str]) -> None:
    assert first_column(heading) == set(known)


def test_every_function_and_setting_is_named() -> None:
    prose = re.sub(r"^```.*?^```$", "", GUIDE, flags=re.DOTALL | re.MULTILINE)
    spoken = {name for text in re.findall("`([^`]+)`", prose) for name in re.findall(r"\w+", text)}
    assert {name for name in CALLS if name.isidentifier()} - LATEX_CALLS.keys() <= spoken
    assert set(FIELDS) <= spoken
    assert {s.names for rule in RULES.values() for s in rule.settings if not spoken & set(s.names)} == set()


@pytest.mark.parametrize(("problem", "stated"), EXAMPLES, ids=[re.findall(r"id: (\w+)", p)[0] for p, _ in EXAMPLES])
def test_an_example_is_answered_as_it_says(problem: str, stated: list[str]) -> None:
    sheet = symgrad.load(problem).solve()
    assert {a.status for a in map(sheet.__getitem__, sheet)} <= {"certified", "unchecked"}
    printed = github(sheet.text("md"))
    assert [x for x in stated if x not in printed] == []


def test_every_kind_has_an_example() -> None:
    asked = {kind for problem, _ in EXAMPLES for kind in re.findall(r"ask: (\w+)", problem)}
    assert asked == set(QUESTION_KINDS)


if __name__ == "__main__":
    PAGE.write_text(MARK.sub(lambda found: f"<!-- table: {found[1]} -->\n\n{TABLES[found[1]]()}\n", GUIDE))
