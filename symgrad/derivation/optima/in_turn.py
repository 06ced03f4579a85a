"""Optima over several variables: the least value over x and y is the least over y of the least over x."""

from collections.abc import Callable, Sequence
from itertools import permutations

from msgspec import Struct
from msgspec.structs import replace

from symgrad.derivation.optima.domain import Domain
from symgrad.derivation.optima.neighbourhood import check
from symgrad.derivation.optima.search import Search, begin, length, shortest
from symgrad.derivation.reasons import listed
from symgrad.derivation.steps import Block, Code, Line, Prose, Reason, Result
from symgrad.errors import CertificationError, QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import variables

MOST_VARIABLES = 3
ONE_LINE = 40
"""How many signs a place has that is written without names."""
Method = Callable[[Search], Result]


class InTurn(Struct, frozen=True):
    """An optimum over several variables, looked for over one after the other.

    Attributes:
        problem: what is given.
        question: what is asked.
        maximum: whether a maximum is looked for.
        method: the way to an optimum over one of them, the others being fixed.
        domains: where one of them may lie.
    """

    problem: Problem
    question: Question
    maximum: bool
    method: Callable[[Var], Method]
    domains: Callable[[Var], Domain]

    def solve(self, over: Sequence[Var]) -> Result:
        """The optimum over all variables together, in the first order in which every one of them can be found.

        Raises:
            QuestionError: no order leads to the optimum.
        """
        if len(over) > MOST_VARIABLES:
            raise QuestionError(f"an optimum is over at most {MOST_VARIABLES} variables", self.question.place)
        first: QuestionError | CertificationError | None = None
        for order in permutations(over):
            try:
                return self._in_order(order)
            except (QuestionError, CertificationError) as error:
                first = first or error
        assert first is not None
        raise first

    def _in_order(self, over: Sequence[Var]) -> Result:
        search = begin(self.problem, self.question, over, self.maximum, keep=True)
        work, of, places, stars = search.work, search.of, dict[Expr, Expr](), dict[Expr, Expr]()
        blocks: list[Block] = [*search.blocks]
        value = search.whole
        for k, x in enumerate(over):
            later = over[k + 1 :]
            words: Reason = (
                ("First over ", x, ", whatever ", *listed(later), " may be:") if not k else ("Then over ", x, ":")
            )
            blocks.append(Prose(words))
            search = Search(work, x, self.maximum, of if not k else value, value)
            found = self.method(x)(search)
            places[x], value, stars[x] = found.extra["at"], found.extra["value"], found.left or x
            last = k == len(over) - 1
            blocks += [
                line if last or not isinstance(line, Line) else replace(line, boxed=False) for line in found.blocks
            ]
        ends = {x: _closed(places[x], places) for x in over}
        for x in over:
            if ends[x] is not places[x]:
                there = replace_nodes(places[x], stars)
                line = work.certifier.line(there, ends[x], reason=("this is ", x), rule="back", boxed=True)
                blocks.append(line if length(ends[x]) <= ONE_LINE else Prose(("There, ", x, " is ", there, ".")))
        onto = {x: self.domains(x).onto for x in over if not x.order and not self.domains(x).is_all}
        checked = check(work.certifier.instances, of, ends, value, self.maximum, onto)
        at = {x.name: ends[x] for x in over}
        return Result(
            self.question.of.text,
            None,
            None,
            b.mul(*(b.compare("==", x, end) for x, end in ends.items())) if not any(x.order for x in over) else None,
            (),
            tuple(blocks),
            (*work.certifier.checks, checked),
            extra={"at": at, "value": value},
            code=Code(
                self.problem.system, value, outputs=(*((f"at.{name}", x) for name, x in at.items()), ("value", value))
            ),
        )


def _closed(x: Expr, places: dict[Expr, Expr]) -> Expr:
    """A place with the places of the variables after it put in."""
    while any(v in places for v in variables(x)):
        x = replace_nodes(x, places)
    return shortest(x)
