"""The search for a limit: ways tried in order, of which none counts that the values near the point do not confirm."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from symgrad.derivation.steps import Block, Line, Reason, Result
from symgrad.derivation.valued import valued
from symgrad.derivation.workspace import Workspace
from symgrad.errors import CertificationError, InternalError, QuestionError
from symgrad.problem.model import Question
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Const, Expr, Mul, Var
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder, variables

NEAR = "the values near the limit point"
INFINITY = Const("inf")
Found: TypeAlias = tuple[Expr, list[Block]]
Way: TypeAlias = "Callable[[Search, Expr, Expr], Found | None]"
"""From a search, lim f and f to the limit and the lines that lead there."""


class Approach(Struct, frozen=True):
    """A scalar that goes to a point: from below or above, or from both sides."""

    var: Var
    point: Expr
    side: str

    def of(self, expr: Expr) -> Expr:
        """lim expr."""
        return b.limit(expr, self.var, self.point, self.side)

    @property
    def infinite(self) -> bool:
        """Whether it grows without end."""
        return any(x is INFINITY for x in postorder(self.point))


class Search(Struct):
    """A limit to be found; ``ways`` are those to try for an expression at a depth of parts within parts.

    ``refusal`` is the first reason for which there can be none.
    """

    work: Workspace
    at: Approach
    ways: Callable[[Expr, int], Sequence[Way]]
    refusal: QuestionError | None = None
    depth: int = 0

    def solve(self, question: Question, root: Expr, open_form: Expr) -> Result:
        """The limit of what is asked about, whose definitions are put in as far as its variable reaches.

        Raises:
            QuestionError: there is none, or none was found.
        """
        left = self.at.of(root)
        blocks: list[Block] = []
        if open_form is not root:
            blocks.append(self.line(left, self.at.of(open_form), reason=_definitions(root, open_form)))
        found = self.first(left, open_form)
        if found is None:
            raise self.refusal or QuestionError("no limit was found there; is there one?", question.of.place)
        value, more = found
        return valued(question, left, value, self.work.system, [*blocks, *more], self.work)

    def first(self, left: Expr, f: Expr) -> Found | None:
        """The limit by the first way that finds one."""
        ways = self.ways(f, self.depth)
        return next((found for way in ways if (found := self._tried(way, left, f)) is not None), None)

    def part(self, f: Expr, side: str | None = None) -> Expr | None:
        """The limit of a part, whose lines nobody reads; None where none is found."""
        if self.at.var not in variables(f):
            return f
        at = self.at if side is None else replace(self.at, side=side)
        inner = Search(self.work, at, self.ways, depth=self.depth + 1)
        checks = len(self.work.certifier.checks)
        found = inner.first(at.of(f), f)
        del self.work.certifier.checks[checks:]
        return None if found is None else found[0]

    def line(self, left: Expr, *right: Expr, reason: Reason = (), boxed: bool = False) -> Line:
        """A line between a limit and others, checked against the values near the limit point."""
        sides = tuple(dict.fromkeys(r for r in right if r is not left))
        line = self.work.certifier.line(left, *sides, reason=reason, rule="limit", boxed=boxed)
        check = replace(line.check, kind=NEAR)
        self.work.certifier.checks[-1] = check
        return replace(line, check=check)

    def alone(self, f: Expr, values: Mapping[Expr, Expr]) -> bool:
        """Whether the variable stands in these parts of f only: 0 · ∞ is no limit law."""
        places: dict[Expr, Expr] = {x: Var(f"place {k}", (), x.shape) for k, x in enumerate(values)}
        return self.at.var not in variables(replace_nodes(f, places))

    def _tried(self, way: Way, left: Expr, f: Expr) -> Found | None:
        before = len(self.work.certifier.checks)
        found = None
        try:
            found = way(self, left, f)
        except QuestionError as error:
            self.refusal = self.refusal or error
        except (CertificationError, InternalError, NotImplementedError, ValueError, TypeError, KeyError):
            pass
        if found is None or not self._is_value(found[0]):
            del self.work.certifier.checks[before:]
            return None
        return found

    def _is_value(self, value: Expr) -> bool:
        """Whether a limit is free of its variable, and finite or ±∞ as a whole."""
        infinite = value in (INFINITY, b.neg(INFINITY))
        return self.at.var not in variables(value) and (infinite or INFINITY not in postorder(value))


def _definitions(root: Expr, open_form: Expr) -> Reason:
    names = [v for v in variables(root) if v not in variables(open_form)]
    if len(names) > 1 and len(variables(open_form)) and isinstance(root, Mul):
        return ("definitions; common factors cancel",)
    return ("definition",) if len(names) == 1 else ("definitions",)
