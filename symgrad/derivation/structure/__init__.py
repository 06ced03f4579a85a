"""Questions about a model as it stands: its equations, shapes, dependences, counts, diagrams, matrices."""
