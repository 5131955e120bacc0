"""The operator's door: is the process alive, can it work, and how is the engine doing."""
