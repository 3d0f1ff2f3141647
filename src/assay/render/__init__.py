"""Prompt and answer to token ids."""
