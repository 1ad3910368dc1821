"""Each test of the storage runs on both databases."""

from tests.databases import *  # noqa: F403
