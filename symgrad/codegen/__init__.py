"""Programs, as systems of definitions, to readable NumPy source."""

from symgrad.codegen.function import Function, assemble, compile_function, function_source, module
from symgrad.codegen.program import Leaf, Program

__all__ = ["Function", "Leaf", "Program", "assemble", "compile_function", "function_source", "module"]
