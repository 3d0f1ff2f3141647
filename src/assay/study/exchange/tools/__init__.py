"""The files of the tools people judge in: each module writes one tool's tasks and reads its replies."""
