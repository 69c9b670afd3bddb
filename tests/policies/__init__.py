"""The shipped policies: what they decide, and faults planted into them as people make them."""
