"""Juries, over real servers."""
