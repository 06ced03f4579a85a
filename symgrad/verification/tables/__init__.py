"""Tables of numbers in an answer, row by row beside what the questions come to."""
