"""From text to syntax trees: lexers that share their tokens, and one parser."""
