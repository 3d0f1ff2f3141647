"""Whether a reward is asked what it can answer: its spread over a policy's samples, and how far they lie from what it knows."""
