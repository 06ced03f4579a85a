"""Problems: from a YAML file with places to what is declared and asked."""
