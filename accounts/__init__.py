"""People: credentials, devices, real name, bank cards, contacts, bank roles."""
