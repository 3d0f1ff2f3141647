"""A reward and the samples of a policy, without labels: its spread over them, and how far they lie from its pairs."""
