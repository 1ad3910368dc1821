"""How long to wait before what failed is tried again."""

from datetime import timedelta

FIRST_RETRY = timedelta(seconds=1)
"""Wait after the first failure; doubled at each further one."""


def retry_delay(attempts: int, longest: timedelta) -> timedelta:
    """Return how long to wait after `attempts` failed ones (1 or more): 1 s, 2, 4 … `longest`."""
    doublings = min(attempts - 1, 16)  # enough, and no overflow after many
    return min(FIRST_RETRY * (1 << doublings), longest)
