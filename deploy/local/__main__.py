"""python3 -m deploy.local VERB: see the Makefile."""

import fcntl
import sys
from collections.abc import Callable

from deploy.local import install, run, state
from deploy.local.processes import Children, Failed

MINIMUM = (3, 11)


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def setup_python(children: Children) -> int:
    """The virtual environment; one at a time, since two makes may want it at once."""
    state.prepare()
    with (state.VAR / "setup.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        install.python_packages(children, state.log("install-python"), say)
    return 0


def setup(children: Children) -> int:
    """The virtual environment and the front end's packages."""
    setup_python(children)
    with (state.VAR / "setup.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if install.FRONTEND.exists():
            install.node_packages(children, state.log("install-node"), say)
    return 0


VERBS: dict[str, Callable[[Children], int]] = {
    "run": run.run,
    "reset": run.reset,
    "manage": run.by_hand,
    "setup": setup,
    "setup-python": setup_python,
}


def main() -> int:
    if sys.version_info < MINIMUM:
        print(f"Python {MINIMUM[0]}.{MINIMUM[1]} or later is needed; this is {sys.version.split()[0]}.")
        print("If there is another one on this machine: make run PYTHON=python3.12")
        return 2
    children = Children()
    try:
        return VERBS[sys.argv[1]](children)
    except Failed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    finally:
        children.stop_all()


sys.exit(main())
