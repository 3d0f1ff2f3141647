"""A reward that looks things up: an answer's statements held against the facts of its prompt and of a folder."""
