"""Rasa components of our own. They run in Rasa's environment and import nothing else of ours."""
