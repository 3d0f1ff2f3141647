"""Reward models: made, run, saved and checked."""
