"""Serves rewards over HTTP to the clients that ask for them, behind a gate that passed."""
