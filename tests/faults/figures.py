"""What a long run found, in var/faults.json."""

import json
import os

from deploy.local.install import ROOT

LONG = "FAULTS_S" in os.environ
SECONDS = float(os.environ.get("FAULTS_S", "12"))
SEED = int(os.environ.get("FAULTS_SEED", "20261123"))
FIGURES = ROOT / "var" / "faults.json"


def note(**figures: float) -> None:
    """Prints figures, and keeps them where a long run was asked for."""
    print(figures)
    if LONG:
        FIGURES.parent.mkdir(exist_ok=True)
        known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
        FIGURES.write_text(json.dumps(known | figures | {"seconds": SECONDS, "seed": SEED}, indent=1) + "\n")
