"""The judge, over a real server and with real models."""
