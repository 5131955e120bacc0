"""Use cases, one file each, read top to bottom. Doors call them; they call skills, the desk and channels."""
