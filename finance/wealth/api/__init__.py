"""REST doors of wealth."""
