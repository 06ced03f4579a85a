"""What a writer's expression is worth: worlds of random inputs, readings, names, functions."""
