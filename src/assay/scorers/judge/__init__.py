"""A generative judge as a scorer: over an OpenAI-compatible endpoint, or a model on this machine."""
