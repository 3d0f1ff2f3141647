"""Audit of a scorer on labelled pairs."""
