"""The typed core that every backend reads: one meaning, settled once."""
