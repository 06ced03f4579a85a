"""Questions of kind convexity: by the Hessian, by composition, or two points whose midpoint lies too high."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from msgspec import Struct

from symgrad.calculus.linear import depends
from symgrad.calculus.numeric import Numbers
from symgrad.derivation.assuming import Imposed
from symgrad.derivation.curvature import AFFINE, CONSTANT, CONVEX, Curvature, kinked
from symgrad.derivation.identities import counterexample as refuting
from symgrad.derivation.identities.integral_rules import definitions, mentioned
from symgrad.derivation.optima.by_hessian import Proof, prove
from symgrad.derivation.optima.chords import Chord, Search, Values, halfway
from symgrad.derivation.reasons import listed
from symgrad.derivation.steps import Block, Check, Introduced, Prose, Reason, Result
from symgrad.derivation.workspace import Workspace, workspace
from symgrad.derivation.writing_out import depends as reads
from symgrad.errors import CertificationError, QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.integers import replace
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.stable import Array
from symgrad.tensor.system import Definition

ROUNDING = 1e-9


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """Whether ``of`` is convex in ``over``, in all of them together.

    Raises:
        QuestionError: ``of`` is no scalar, or neither a proof nor a counterexample was found.
    """
    of = question.of.expr
    if of.order:
        raise QuestionError("convexity is of a scalar", question.of.place)
    over: list[Var] = []
    for x in question.several("over"):
        if not isinstance(x.expr, Var):
            raise QuestionError("'over' names symbols of the problem", x.place)
        over.append(x.expr)
    work = workspace(problem, question, problem.system, [of, *over])
    return (_Convexity(work, tuple(dict.fromkeys(over))).solve(),)


class _Convexity(Struct):
    work: Workspace
    over: tuple[Var, ...]

    @property
    def names(self) -> Reason:
        """The variables in words: w and b."""
        return listed(self.over)

    def solve(self) -> Result:
        work, of = self.work, self.work.question.of.expr
        if not any(depends(definitions(work.system).apply(of), x) for x in self.over):
            raise QuestionError("the quantity does not depend on the variable")
        example = self._counterexample(of)
        if example is not None:
            return self._refuted(of, example)
        ways = [self._formula(of, stays) for stays in (self._is_fixed, lambda v: False)]
        for whole in dict.fromkeys(ways):
            begun = len(work.introduced)
            for way in self._proofs(whole):
                try:
                    proof = way(of, whole)
                except QuestionError:
                    del work.introduced[begun:]
                    continue
                return self._proved(of, whole, proof)
        raise QuestionError("no counterexample was found, but neither the Hessian nor composition proves it")

    def _is_fixed(self, v: Var) -> bool:
        """Whether no variable is in what a name stands for, so that it may stay."""
        return not reads(self.work.system, v, {x.name for x in self.over})

    def _formula(self, of: Expr, stays: Callable[[Var], bool]) -> Expr:
        return definitions(self.work.system, stays, False).apply(of)

    def _proofs(self, whole: Expr) -> Sequence[Callable[[Expr, Expr], Proof]]:
        smooth = not kinked(whole, self.over) and all(x.order <= (len(self.over) == 1) for x in self.over)
        return [self._by_hessian, self._by_composition] if smooth else [self._by_composition]

    def _by_hessian(self, of: Expr, whole: Expr) -> Proof:
        return prove(self.work, self.over, of, whole)

    def _by_composition(self, of: Expr, whole: Expr) -> Proof:
        """By the rules of composition, part by part."""
        curvature = Curvature(self.over)
        curve = curvature.of(whole)
        if curve not in (CONSTANT, AFFINE, CONVEX):
            raise QuestionError("composition does not prove it")
        blocks: list[Block] = [Prose((part, f" is {found}: ", *reason, ".")) for part, found, reason in curvature.said]
        if curve == AFFINE:
            blocks.append(Prose((whole, " is affine in ", *self.names, ", and an affine function is convex.")))
        return Proof(blocks, self._chords(of), said=curve == AFFINE)

    def _proved(self, of: Expr, whole: Expr, proof: Proof) -> Result:
        blocks: list[Block] = []
        if whole is not of:
            reason = mentioned(of, self.work.system)
            blocks.append(self.work.certifier.line(of, whole, reason=reason, rule="definition"))
        blocks += proof.blocks
        if not proof.said:
            together = " together." if len(self.over) > 1 else "."
            blocks.append(Prose((of, " is convex in ", *self.names, together)))
        return self._result(True, None, blocks, [proof.check])

    def _chords(self, of: Expr) -> Check:
        """The value halfway against the mean of the values at the ends, at the random points."""
        worst, points = 0.0, 0
        for numbers in self.work.certifier.instances:
            first = {x: numbers.value(x) for x in self.over}
            second = {x: np.roll(a, 1, axis=0) for x, a in first.items()}
            low, high, middle = (_heights(numbers, p, of) for p in (first, second, halfway(first, second)))
            worst = max(worst, float(((middle - (low + high) / 2) / np.maximum(1.0, np.abs(middle))).max()))
            points = max(points, numbers.points)
        if worst > ROUNDING:
            raise CertificationError("a chord lies below the graph; this is a fault of symgrad")
        kind = "agrees: no chord tried lies below the graph"
        return Check(kind, max(worst, 0.0), points, len(self.work.certifier.instances))

    # A counterexample

    def _counterexample(self, of: Expr) -> Chord | None:
        """Two points such that the value halfway is above the mean of the values."""
        work = self.work
        sizes = {s: min(n, 2) for s, n in work.certifier.instances[0].sizes.items()}
        return Search(work.system, of, self.over, sizes, Imposed.of(work.problem, work.question)).found()

    def _refuted(self, of: Expr, found: Chord) -> Result:
        work = self.work
        rises = (
            " together: between two points it rises above the chord."
            if len(self.over) > 1
            else (": between two points it rises above the chord.")
        )
        blocks: list[Block] = [Prose((of, " is not convex in ", *self.names, rises))]
        for v, value in found.given.items():
            blocks.append(Introduced(v, _literal(value)))
        ends = [self._end(found, letter, k) for k, letter in enumerate(("a", "b"))]
        for k, end in enumerate(ends):
            blocks += [Introduced(v, _literal(found.points[k][x])) for x, v in end.items()]
        middle = {x: b.mul(b.div(b.ONE, b.num(2)), b.add(*(end[x] for end in ends))) for x in self.over}
        places: list[Mapping[Var, Expr]] = [*ends, middle]
        for where, point, height in zip(places, found.points, found.values, strict=True):
            system = work.system.extended([Definition(v.name, v.subs, _literal(a)) for v, a in found.given.items()])
            system = system.extended([Definition(x.name, x.subs, _literal(a)) for x, a in point.items()])
            work.certifier = type(work.certifier).of(system, [found.sizes], points=1)
            shown = _literal(np.asarray(height))
            reason: Reason = ("at ", *listed([b.compare("==", x, e) for x, e in where.items()]))
            blocks.append(work.certifier.line(of, shown, reason=reason, rule="evaluation"))
        mean = (found.values[0] + found.values[1]) / 2
        ending = ("The mean of the first two is ", _literal(np.asarray(mean)), ", which is less than ")
        blocks.append(Prose((*ending, _literal(np.asarray(found.values[2])), ".")))
        example = {
            **{v.name: refuting.plain(a) for v, a in found.given.items()},
            **{v.name: refuting.plain(found.points[k][x]) for k, end in enumerate(ends) for x, v in end.items()},
            "values": [refuting.exact(v) for v in found.values],
        }
        return self._result(False, example, blocks, [])

    def _end(self, found: Chord, letter: str, k: int) -> dict[Var, Var]:
        """A name for each variable at one end: a for a single one, else u_1 and v_1."""
        several = len(self.over) > 1
        wishes = {x: (f"{x.name}_{k + 1}",) if several else (letter, f"{letter}_0") for x in self.over}
        return {x: Var(self.work.fresh(*wishes[x]), (), x.shape, x.facts) for x in self.over}

    def _result(self, convex: bool, example: object, blocks: Sequence[Block], checks: Sequence[Check]) -> Result:
        question = self.work.question
        return Result(
            question.of.text,
            ", ".join(x.text for x in question.several("over")),
            None,
            None,
            (),
            tuple(blocks),
            (*self.work.certifier.checks, *checks),
            exact=convex,
            extra={"convex": convex, "counterexample": example},
        )


def _heights(numbers: Numbers, at: Values, of: Expr) -> Array:
    """The values of a quantity with other values of the variables."""
    keys = {(x.name, tuple(replace(s, numbers.sizes) for s in x.subs)): a for x, a in at.items()}
    there = Numbers(numbers.system, numbers.sizes, numbers.points, numbers.seed, {**numbers.given, **keys})
    return there.value(of)


def _literal(x: Array) -> Expr:
    return b.literal(refuting.literal_values(x), tuple(np.shape(x)))
