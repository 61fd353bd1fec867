"""Posts, audience, timeline."""
