"""Why something a writer wrote has no value."""

from collections.abc import Sequence

from symgrad.syntax.tree import Name


class Unclear(Exception):
    """It has no value here; the message says why."""


class Unknown(Unclear):
    """A name that neither the problem nor the writer defines."""

    def __init__(self, name: Name) -> None:
        super().__init__(f"{name.id!r} is neither declared nor defined")
        self.name = name.id


class Nested(Unclear):
    """A derivative of a derivative, which the complex step cannot take."""

    def __init__(self) -> None:
        super().__init__("a derivative of a derivative")


class Unsized(Unclear):
    """Something whose size its neighbours do not tell; ``places`` are where in the text it stands."""

    def __init__(self, places: Sequence[int], why: str) -> None:
        super().__init__(why)
        self.places = tuple(places)


class Outside(Exception):
    """An index outside its range: at these steps the line says nothing."""


class BeyondAxis(Outside):
    """An index of an entry beyond the end of its axis; ``shifted`` where it is no bare letter, i − a + 1."""

    def __init__(self, shifted: bool = False) -> None:
        super().__init__()
        self.shifted = shifted
