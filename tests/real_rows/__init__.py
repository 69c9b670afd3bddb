"""Real portfolios."""
