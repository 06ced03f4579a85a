"""Answers: reading them, comparing what they claim, saying what is wrong."""
