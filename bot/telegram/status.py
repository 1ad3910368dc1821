"""How the Telegram channel is, as those who run it are told."""

from enum import StrEnum


class Status(StrEnum):
    """How the channel is."""

    starting = "starting"
    on = "on"
    unreachable = "unreachable"
    refused = "refused"
    """Telegram does not know the token."""
    webhook_refused = "webhook_refused"
    """Telegram does not post to such an address."""
    webhook_failing = "webhook_failing"
    """Telegram posts to the address, and updates wait because that fails."""
    conflict = "conflict"
    """Another program takes the same bot's updates."""
