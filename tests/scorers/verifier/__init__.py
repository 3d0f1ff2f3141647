"""Verifiers, in processes that hang, die and print garbage."""
