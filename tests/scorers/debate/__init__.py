"""Debates, over real servers."""
