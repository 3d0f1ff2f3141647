"""Pairs made from the training pairs without a model: counter-examples to verbosity, and answers to other prompts."""
