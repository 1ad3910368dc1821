"""Each test of the outbox runs on both databases."""

from tests.databases import *  # noqa: F403
