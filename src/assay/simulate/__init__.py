"""Worlds whose truth is known: one folder a world, on random values and prose they share."""
