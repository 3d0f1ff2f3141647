"""Hypothesis without a deadline: these tests share a machine with others."""

from hypothesis import settings

settings.register_profile("data", deadline=None)
settings.load_profile("data")
