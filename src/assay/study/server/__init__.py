"""The pages editors judge on."""
