"""What optimising against a reward comes to: best of n by the reward, judged by what it stands for."""
