"""Conversations, messages, delivery, cards."""
