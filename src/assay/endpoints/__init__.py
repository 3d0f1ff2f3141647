"""Requests to servers over HTTP, whoever asks: limits, tries, budget, credential, answers kept on disk by content."""
