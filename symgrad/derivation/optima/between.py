"""Between which two states of a recurrence a bound runs."""

from symgrad.tensor.integers import Int, difference, same
from symgrad.tensor.nodes import Var
from symgrad.tensor.system import System
from symgrad.tensor.walk import variables


def copied_start(system: System, of: Var, wrt: Var) -> Var | None:
    """The state of a recurrence that begins as a copy of wrt, h[0] = x, where that is its only use."""
    readers = [d for d in system.definitions if wrt in variables(d.body)]
    copies = [d.target for d in readers if d.body is wrt and d.family == of.name and not d.ranges]
    return copies[0] if len(readers) == len(copies) == 1 else None


def step_between(of: Var, wrt: Var) -> tuple[int, Int, Int] | None:
    """Which subscript runs from wrt to of over more than one step, its value in of and in wrt."""
    if of.name != wrt.name:
        return None
    apart = [k for k, (i, j) in enumerate(zip(of.subs, wrt.subs, strict=True)) if not same(i, j)]
    if len(apart) != 1 or difference(of.subs[apart[0]], wrt.subs[apart[0]]) == 1:
        return None
    return apart[0], of.subs[apart[0]], wrt.subs[apart[0]]
