"""SQL files and the Piccolo migrations that run them. Never edited after release; a test holds them to the tables."""
