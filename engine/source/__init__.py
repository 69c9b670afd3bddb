"""Source files: strict YAML as nodes with spans, and the schema that gives them their shape."""
