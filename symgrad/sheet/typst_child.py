"""Run in a process of its own: a Typst source on standard input, the document on standard output."""

import contextlib
import json
import sys

import typst

with contextlib.suppress(ImportError):  # Windows has no such limits.
    import resource

_SECONDS = 60
_BYTES = 4 << 30
_PPI = 200


def main() -> int:
    """Compile within limits of time and memory; a message on standard error, and 1, where that fails."""
    with contextlib.suppress(NameError, ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
    asked = json.load(sys.stdin)
    source, root = asked["source"].encode(), asked["root"]
    places = {"root": root, "package_path": root, "package_cache_path": root, "ignore_system_fonts": True}
    try:
        if asked["query"]:
            sys.stdout.write(typst.query(source, asked["query"], field="value", **places))
            return 0
        if asked["format"] == "pdf":
            made = typst.compile(source, format="pdf", pdf_standards="ua-1", timestamp=0, **places)
        else:
            made = typst.compile(source, format=asked["format"], ppi=_PPI, **places)
    except typst.TypstError as error:
        sys.stderr.write(error.diagnostic)
        return 1
    sys.stdout.buffer.write(b"".join(made) if isinstance(made, list) else made or b"")
    return 0


if __name__ == "__main__":
    sys.exit(main())
