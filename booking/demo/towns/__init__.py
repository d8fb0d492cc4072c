"""Each town of the demonstration with its places."""
