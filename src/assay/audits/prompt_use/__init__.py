"""Does a reward read the prompt: answers under other prompts, and what answers tell without any."""
