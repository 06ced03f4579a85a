"""From a document to its claims: formats, macros, statements and their places, faults of recognition."""
