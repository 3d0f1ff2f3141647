"""What clients of other reward servers send, and what they read: one small file a language."""
