"""A closed study to findings."""
