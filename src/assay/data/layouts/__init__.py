"""Rows to drafts: the layouts people keep pairs in."""
