"""The demo world: a dozen people with a past, made through the same actions that people use."""
