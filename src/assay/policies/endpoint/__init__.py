"""A policy behind an OpenAI-compatible server: what is sent and read, and the requests themselves."""
