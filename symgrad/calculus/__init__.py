"""Differentiation: pullback rules, linear operators, accumulation over systems of definitions, rewrites."""
