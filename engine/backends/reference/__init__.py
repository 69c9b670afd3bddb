"""The interpreter: the meaning of the language, and the source of every explanation."""
