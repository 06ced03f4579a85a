"""Recursion without Python's stack: rules are generators that yield requests and receive their results."""

from collections.abc import Callable, Generator, Hashable
from typing import TypeVar

Request = TypeVar("Request", bound=Hashable)
Result = TypeVar("Result")


def solve(
    request: Request,
    rule: Callable[[Request], Generator[Request, Result, Result]],
    memo: dict[Request, Result] | None = None,
) -> Result:
    """The result of a request; each distinct request is worked out once."""
    known: dict[Request, Result] = {} if memo is None else memo
    waiting: list[tuple[Request, Generator[Request, Result, Result]]] = []
    wanted: Request = request
    while True:
        if wanted not in known:
            steps = rule(wanted)
            try:
                following = next(steps)
            except StopIteration as done:
                known[wanted] = done.value
            else:
                waiting.append((wanted, steps))
                wanted = following
                continue
        while waiting:
            owner, steps = waiting[-1]
            try:
                wanted = steps.send(known[wanted])
            except StopIteration as done:
                waiting.pop()
                known[owner] = done.value
                wanted = owner
            else:
                break
        else:
            return known[request]
