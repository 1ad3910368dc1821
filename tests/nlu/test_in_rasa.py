"""Runs the tests of `in_rasa/` where Rasa is: in its own environment, which has no pytest."""

import os
import subprocess

from deploy import rasa
from settings import ROOT


def test_in_rasa_s_environment(postgresql_url: str) -> None:
    environment = {**os.environ, **rasa.ENVIRONMENT, "TEST_POSTGRESQL_URL": postgresql_url}
    done = subprocess.run(
        [rasa.PYTHON, "-W", "ignore", "-m", "unittest", "discover", "-s", "tests/nlu/in_rasa"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "skipped" not in done.stderr
