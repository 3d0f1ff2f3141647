"""A reward on pairs of a current policy's answers: chosen for people, right there or not, beside outside figures."""
