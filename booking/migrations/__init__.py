"""Generated, read, never edited after merge."""
