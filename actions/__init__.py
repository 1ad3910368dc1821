"""Rasa custom actions: read the slots, call the domain, answer. Thin."""
