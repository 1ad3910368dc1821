"""Each test of the desk runs on both databases."""

from tests.databases import *  # noqa: F403
