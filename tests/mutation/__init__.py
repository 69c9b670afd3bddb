"""The shipped standards with one thing changed at a time, held against their own test files."""
