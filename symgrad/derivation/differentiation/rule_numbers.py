"""The numbers of an update rule: given in the question, or symbols where it leaves them out."""

from collections.abc import Mapping

from msgspec import Struct

from symgrad.derivation.differentiation.optimisers import DECAY, RATE, Rule, Setting
from symgrad.errors import QuestionError, near
from symgrad.problem.forms import number as number_in
from symgrad.problem.model import Asked, Problem, Question
from symgrad.problem.yaml_tree import RawMap, RawScalar
from symgrad.tensor import build as b
from symgrad.tensor.integers import size_symbol
from symgrad.tensor.nodes import Expr, Var


class RuleNumbers(Struct, frozen=True):
    """The rate, the numbers of the rule and the weight decay, each given or a symbol; ``first`` at a zero state."""

    values: Mapping[str, Expr]
    decay: Expr | None
    first: bool

    @classmethod
    def of(cls, problem: Problem, question: Question, rule: Rule) -> "RuleNumbers":
        """The numbers of a question."""
        given = _with(problem, question)
        first = question.word("state") == "zero"
        rate = question.fields.get("rate")
        values: dict[str, Expr] = {}
        values["eta"] = rate.expr if isinstance(rate, Asked) else _taken(given, RATE) or _symbol(problem, RATE)
        if values["eta"].order:
            raise QuestionError("the rate is a scalar", question.place)
        for s in rule.settings:
            value = _taken(given, s)
            if value is None:
                value = b.ONE if s.letter == "k" and first else _symbol(problem, s)
            values[s.letter] = value
        decay = None if rule.decoupled else _taken(given, DECAY)
        if given:
            known = [n for s in (*rule.settings, RATE, DECAY) for n in s.names]
            name = next(iter(given))
            raise QuestionError(
                f"{name!r} is no setting of this rule; there are {', '.join(known)}",
                question.place,
                near(name, known),
            )
        return cls(values, decay, first)


def _with(problem: Problem, question: Question) -> dict[str, Expr]:
    node = question.raw.get("with")
    if node is None:
        return {}
    if not isinstance(node, RawMap):
        raise QuestionError("'with' is a mapping, {momentum: 0.9}", node.place)
    return {key.text: _scalar(problem, key.text, value) for key, value in node.entries}


def _scalar(problem: Problem, name: str, node: object) -> Expr:
    if isinstance(node, RawScalar):
        text = node.text.strip()
        value = number_in(node)
        if value or text.lstrip("-+").strip("0.") == "":
            return b.num(value)
        if text in problem.sizes:
            return b.count(problem.sizes[text])
        if text.isidentifier():
            try:
                found = problem.node(text)
            except KeyError:
                found = Var(text, (), ())
            if not found.order:
                return found
    raise QuestionError(f"{name!r} is a number or the name of one", getattr(node, "place", None))


def _taken(given: dict[str, Expr], setting: Setting) -> Expr | None:
    name = next((n for n in setting.names if n in given), None)
    return given.pop(name) if name is not None else None


def _symbol(problem: Problem, setting: Setting) -> Expr:
    """A number that is not given: the declared symbol of that letter, or a new one."""
    if setting.fact == "integer":
        taken = {*problem.declarations, *problem.sizes, *(s.name for s in problem.steps)}
        return b.count(size_symbol(next(n for n in (setting.letter, "j", "step", "n_step") if n not in taken)))
    try:
        found = problem.node(setting.letter)
    except KeyError:
        return Var(setting.letter, (), (), frozenset({setting.fact}))
    return Var(setting.letter, (), (), frozenset({setting.fact})) if found.order else found
