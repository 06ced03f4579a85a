"""The verdict on one equation: tried in numbers under one reading after another, weighed, allowed for."""
