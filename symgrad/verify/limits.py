"""Limits that hold for a whole process."""

import sys
from importlib.util import find_spec

if find_spec("resource") is not None:
    import resource


def limit_memory(size: int) -> None:
    """At most so many bytes of address space, where the system has such a limit."""
    if sys.platform != "win32":
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        soft = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
