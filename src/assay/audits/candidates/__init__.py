"""Many answers to one prompt: does the reward pick a good one, and order the rest?"""
