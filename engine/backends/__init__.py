"""Ways to carry out a program, all with the same meaning."""
