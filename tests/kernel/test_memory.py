"""What the collector of cycles is spared in a process that serves."""

import os
import subprocess
import sys

from deploy.local.install import ROOT

ASKED = """
import gc
import rongliao.asgi

print(gc.isenabled(), gc.get_freeze_count() > 100_000, len(gc.get_objects()) < 20_000)
"""


def test_a_server_that_is_ready_looks_at_nothing_that_it_loaded_and_collects_again() -> None:
    told = {**os.environ, "DEMO": "1", "DATABASE_URL": "postgresql://nobody@localhost/none"}
    done = subprocess.run([sys.executable, "-c", ASKED], cwd=ROOT, env=told, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "True"]
