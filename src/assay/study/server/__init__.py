"""Serves a study: the pages editors and owner use, over a queue that answers only what is durably kept."""
