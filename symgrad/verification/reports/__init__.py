"""Marked answers for people and machines."""
