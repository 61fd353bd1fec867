"""Money: each part an app of its own."""
