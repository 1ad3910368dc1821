"""The way in and out: channels are adapters of one relay."""
