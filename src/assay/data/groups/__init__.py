"""Prompts that are the same or nearly so."""
