"""Scorers at work: bound to the models of a policy, asked one by one or in batches, held to what they declared."""
