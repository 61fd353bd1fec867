"""People who work for the bank: advisors, customer service, operations."""
