"""Python names: for families, sizes, indices and intermediate values, each used once in a function."""

import builtins
import keyword
import unicodedata
from collections.abc import Iterable

_SPELLED = {"δ": "d", "∂": "d", "Δ": "delta", "σ": "sigma", "λ": "lambda", "θ": "theta", "ŷ": "yhat"}
_TAKEN = frozenset({"np", "math", *keyword.kwlist, *(n for n in dir(builtins) if not n.startswith("_"))})


def identifier(name: str) -> str:
    """A name as Python allows it: δh is dh, ``W.x`` is W_x, ``lambda`` is lambda_."""
    spelled = "".join(_SPELLED.get(c, c) for c in name)
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    made = "".join(c if c.isalnum() or c == "_" else "_" for c in plain)
    made = "_".join(part for part in made.split("_") if part) if "__" in made else made
    if not made or made[0].isdigit():
        made = f"x{made}"
    return f"{made}_" if keyword.iskeyword(made) else made


class Names:
    """The names taken in one function."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self.taken: set[str] = set(reserved)
        self._known: dict[object, str] = {}

    def fresh(self, wanted: str, others: Iterable[str] = ()) -> str:
        """The wanted name, another spelling, or the wanted one with a number, whichever is free first."""
        for name in (identifier(wanted), *others):
            if self._free(name):
                self.taken.add(name)
                return name
        n = 2
        while not self._free(f"{identifier(wanted)}_{n}"):
            n += 1
        name = f"{identifier(wanted)}_{n}"
        self.taken.add(name)
        return name

    def of(self, key: object, wanted: str, others: Iterable[str] = ()) -> str:
        """The name of one thing, the same whenever it is asked for."""
        if key not in self._known:
            self._known[key] = self.fresh(wanted, others)
        return self._known[key]

    def give(self, key: object, name: str) -> None:
        """A name that is settled from outside, such as that of an argument."""
        self._known[key] = name
        self.taken.add(name)

    def snapshot(self) -> tuple[set[str], dict[object, str]]:
        """What is taken now."""
        return set(self.taken), dict(self._known)

    def restore(self, was: tuple[set[str], dict[object, str]]) -> None:
        """Back to an earlier snapshot."""
        self.taken, self._known = was

    def _free(self, name: str) -> bool:
        return name not in self.taken and name not in _TAKEN
