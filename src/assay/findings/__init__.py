"""Findings: one figure, what it is called, and why it matters."""
