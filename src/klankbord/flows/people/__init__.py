"""What colleagues do with contacts: describe, block, join and part them, and bring them in and out as files."""
