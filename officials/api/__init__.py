"""REST doors of service accounts: for everybody, and for operations."""
