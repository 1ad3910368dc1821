"""The domain: who may have what, and the draft candidature. No Rasa, no channel, no HTTP."""
