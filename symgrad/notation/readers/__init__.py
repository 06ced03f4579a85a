"""From expressions to math trees, one module for each family of nodes."""
