"""Names, types, nullability and decisions: what a policy may not say."""
