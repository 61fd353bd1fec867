"""What the tests stand on: real PostgreSQL, Redis, servers and browsers, started once and surely stopped."""
