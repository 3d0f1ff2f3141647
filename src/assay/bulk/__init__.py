"""Scoring and answering by several workers: blocks, what is kept of them, who is given which, and where files lie."""
