"""Watches the rewards that a server gives: how they are distributed, how far they are known, whether they change."""
