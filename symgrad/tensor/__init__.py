"""Expressions with certain shapes: nodes, constructors, walking, lowering, evaluation."""
