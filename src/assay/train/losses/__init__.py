"""Losses on reward margins."""
