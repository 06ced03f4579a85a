"""Questions of kind derivative and update: paths, recursions, closed forms, entries; the rules of descent."""
