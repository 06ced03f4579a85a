"""Questions of kind update: one step of a descent rule, its gradient derived, and what must be kept for it."""

from collections.abc import Mapping

import numpy as np
from msgspec import Struct
from msgspec.structs import replace as changed

from symgrad.derivation.certify import DIFFERENCE_TOLERANCE, Certifier, relative_error
from symgrad.derivation.differentiation import derivative
from symgrad.derivation.differentiation.backprop import recast
from symgrad.derivation.differentiation.derivative import as_node
from symgrad.derivation.differentiation.kept import kept, sentence
from symgrad.derivation.differentiation.optimisers import RULES, Formula, Quantities, Rule
from symgrad.derivation.differentiation.rule_numbers import RuleNumbers
from symgrad.derivation.program import backward_code
from symgrad.derivation.steps import Block, Check, Code, Introduced, Line, Result
from symgrad.derivation.workspace import Workspace, workspace
from symgrad.errors import CertificationError, QuestionError
from symgrad.problem.model import Asked, Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.spelling import describe_node
from symgrad.tensor.stable import Array
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder

_LETTERS: Mapping[str, tuple[str, ...]] = {"v": ("v", "u", "nu"), "m": ("m", "p"), "s": ("s", "r", "q")}
"""The letters that a state is called by, the first that is free."""
CHECK = "the rule in NumPy with central differences of the loss"


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """The new value of each parameter after one step against the gradient of the loss.

    The conventions of the rules are in ``optimisers`` beside this module. Numbers that the question leaves out are
    symbols; ``state: zero`` is the first step, from a state of zeros.

    Raises:
        QuestionError: the loss is no scalar, or a setting is none of the rule's.
    """
    loss = question.asked("loss")
    if loss.expr.order:
        raise QuestionError("the loss is a scalar", loss.place)
    system, of = as_node(problem.system, loss.expr, problem)
    inner = changed(problem, system=system)
    wrt = question.wrt
    gradients = derivative.solve(inner, _gradient_question(question, of, loss))
    rule = RULES[question.word("rule") or "sgd"]
    shared = RuleNumbers.of(problem, question, rule)
    results = [
        _Update(inner, question, rule, shared, of, w, g, len(wrt) > 1).result()
        for w, g in zip(wrt, gradients, strict=True)
    ]
    forward = recast(inner, system, of)[0] if isinstance(of, Var) else system
    values = [g.value for g in gradients if g.value is not None]
    found = kept(forward, values, [x for g in gradients for x in g.blocks])
    names = [describe_node(k.node) for k in found]
    results = [changed(r, extra={**r.extra, "keep": names}) for r in results]
    results[-1] = changed(results[-1], blocks=(*results[-1].blocks, sentence(found)))
    if of is not loss.expr and isinstance(of, Var):
        results[0] = changed(results[0], blocks=(Introduced(of, loss.expr), *results[0].blocks))
    return tuple(results)


def _gradient_question(question: Question, of: Expr, loss: Asked) -> Question:
    """The gradient as a question of its own; by the backward pass where whole nodes are updated."""
    whole = isinstance(of, Var) and all(isinstance(w.expr, Var) for w in question.wrt)
    fields: dict[str, object] = {"of": changed(loss, expr=of), "wrt": question.wrt}
    if whole:
        fields["form"] = "backprop"
    return changed(question, ask="derivative", fields=fields)


class _Update(Struct):
    """One parameter's step."""

    problem: Problem
    question: Question
    rule: Rule
    numbers: RuleNumbers
    of: Expr
    wrt: Asked
    gradient: Result
    several: bool

    def result(self) -> Result:
        """The gradient's derivation, then the rule line by line, the last one the new value."""
        code = backward_code(self.problem, self.problem.system, self.of, self.wrt.expr)
        known = System((*code.system.definitions, *self._introduced(code.system)), code.system.steps)
        parameter, gradient = self.wrt.expr, self.gradient.value
        assert gradient is not None
        slope = b.deriv(self.of, parameter)
        work = workspace(
            self.problem, self.question, known, [self.of, parameter, gradient, *self.numbers.values.values()]
        )
        blocks = [_unboxed(x) for x in self.gradient.blocks]
        g, named = self._named_gradient(work, slope, gradient, blocks)
        quantities = self._quantities(work, parameter, g if named else slope)
        formulas = self.rule.formulas(quantities)
        new: dict[Expr, Expr] = {}
        definitions: list[Definition] = []
        if named and isinstance(g, Var):
            definitions.append(Definition(g.name, (), self._decayed(code.value)))
        for f in formulas:
            target = self._target(quantities, f)
            work.define([Definition(target.name, target.subs, f.value)])
            value = replace_nodes(f.value, {slope: gradient})
            definitions.append(Definition(target.name, target.subs, replace_nodes(f.value, {slope: code.value})))
            sides = list(dict.fromkeys([f.value, value, _shorter(replace_nodes(value, new), value)]))
            last = f is formulas[-1]
            blocks.append(work.certifier.line(target, *sides, reason=(f.reason,), rule="update", boxed=last))
            new[target] = replace_nodes(value, new)
        final = self._target(quantities, formulas[-1])
        line = blocks[-1]
        assert isinstance(line, Line)
        shown = line.right[-1] if not named else line.right[0]
        check = self._compare(work.certifier, quantities, shown)
        return Result(
            str(self.question.asked("loss").text),
            self.wrt.text,
            final,
            shown,
            shown.shape,
            tuple(blocks),
            (*self.gradient.checks, *work.certifier.checks, check),
            self.gradient.where,
            code=Code(code.system.extended(definitions[:-1]), definitions[-1].body),
        )

    def _introduced(self, system: System) -> list[Definition]:
        """The names of the gradient's derivation that the program does not have."""
        made = [x for x in self.gradient.blocks if isinstance(x, Introduced)]
        return [
            Definition(x.name.name, x.name.subs, x.body)
            for x in (*made, *self.gradient.where)
            if not system.family(x.name.name)
        ]

    def _named_gradient(self, work: Workspace, slope: Expr, gradient: Expr, blocks: list[Block]) -> tuple[Expr, bool]:
        """g = ∂L/∂W, with the weight decay, where the rule reads it more than once."""
        if self.rule is RULES["sgd"] and self.numbers.decay is None:
            return slope, False
        g = Var(work.fresh(self._own("g"), "G", "grad"), (), slope.shape)
        total, resolved = self._decayed(slope), self._decayed(gradient)
        work.define([Definition(g.name, (), total)])
        reason = "with weight decay" if self.numbers.decay is not None else "the gradient"
        blocks.append(work.certifier.line(g, *dict.fromkeys([total, resolved]), reason=(reason,), rule="update"))
        return g, True

    def _decayed(self, gradient: Expr) -> Expr:
        decay = self.numbers.decay
        return gradient if decay is None else b.add(gradient, b.mul(decay, self.wrt.expr))

    def _own(self, letter: str) -> str:
        """The letter, with the parameter's name where several parameters are updated."""
        name = self.wrt.expr.name if isinstance(self.wrt.expr, Var) else ""
        subs = "_".join(str(s) for s in self.wrt.expr.subs) if isinstance(self.wrt.expr, Var) else ""
        return "_".join(x for x in (letter, name, subs) if x) if self.several else letter

    def _quantities(self, work: Workspace, parameter: Expr, gradient: Expr) -> Quantities:
        shape = parameter.shape
        state: dict[str, Expr] = {}
        new: dict[str, Expr] = {}
        for letter, fact in self.rule.state.items():
            facts = frozenset({fact} if fact else ())
            name = work.fresh(*(self._own(x) for x in _LETTERS[letter]))
            state[letter] = b.zeros(shape) if self.numbers.first else Var(name, (), shape, facts)
            new[letter] = Var(work.fresh(f"{name}__new"), (), shape)
            new[f"{letter}hat"] = Var(work.fresh(self._own(f"{name.split('_')[0]}hat")), (), shape)
        if isinstance(parameter, Var):
            new["W"] = Var(work.fresh(f"{parameter.name}__new"), parameter.subs, shape)
        else:
            new["W"] = Var(work.fresh("w__new", "u__new"), (), shape)
        return Quantities(parameter, gradient, self.numbers.values, state, new)

    def _target(self, quantities: Quantities, formula: Formula) -> Var:
        target = quantities.new[formula.letter]
        assert isinstance(target, Var)
        return target

    def _compare(self, certifier: Certifier, quantities: Quantities, shown: Expr) -> Check:
        """The new value against the rule in plain NumPy, the gradient by central differences."""
        worst, points = 0.0, 0
        for n in certifier.instances:
            g = n.differences(self.of, self.wrt.expr)
            clear = _away_from_kinks(g, n.value(b.deriv(self.of, self.wrt.expr)))
            w = n.value(self.wrt.expr)
            if self.numbers.decay is not None:
                g = g + _broad(n.value(self.numbers.decay), g) * w
            state = {k: n.value(x) for k, x in quantities.state.items()}
            numbers = {k: _broad(n.value(x), g) for k, x in quantities.numbers.items()}
            expected = self.rule.compute(w, g, state, numbers)
            tolerance = DIFFERENCE_TOLERANCE
            if "epsilon" in numbers:
                # A gradient near zero is divided by √ŝ + ε: its error grows by as much.
                tolerance += 1e-9 / (float(numbers["epsilon"].min()) + 1e-6)
            actual = np.broadcast_to(n.value(shown), expected.shape)
            error = relative_error(expected[clear], actual[clear])
            if not error <= tolerance:
                raise CertificationError(f"the update disagrees with its rule by {error:.1e}; a fault of symgrad")
            worst, points = max(worst, error), max(points, int(clear.sum()))
        if not points:
            raise CertificationError("no random point lies away from the kinks of the loss; the update was not checked")
        return Check(CHECK, worst, points, len(certifier.instances))


def _away_from_kinks(differences: Array, slope: Array) -> Array:
    """The points at which differences over a finite step see the slope at the point itself."""
    slope = np.broadcast_to(slope, differences.shape)
    gap = np.abs(differences - slope).reshape(len(differences), -1).max(axis=1, initial=0.0)
    return np.asarray(gap <= DIFFERENCE_TOLERANCE * max(1.0, float(np.abs(slope).max(initial=0.0))))


def _broad(value: Array, like: Array) -> Array:
    """A scalar at each point, lined up with the axes of a tensor."""
    return np.asarray(value.reshape(value.shape + (1,) * (like.ndim - 1)))


def _unboxed(x: Block) -> Block:
    return changed(x, boxed=False) if isinstance(x, Line) else x


def _shorter(a: Expr, other: Expr) -> Expr:
    return a if len(postorder(a)) < len(postorder(other)) else other
