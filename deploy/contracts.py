"""`make contracts`: what the server promises, as schemas and as the front end's types."""

import subprocess
import sys

from deploy.checks import DEMO
from deploy.local.install import FRONTEND, PYTHON, ROOT, node, node_environment

GENERATED = FRONTEND / "src" / "shared" / "generated"


def written() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(GENERATED.glob("*")) if path.is_file()}


def main() -> int:
    GENERATED.mkdir(exist_ok=True)
    before = written()
    executable, npm = node()
    for command, folder, environment in (
        ([str(PYTHON), "manage.py", "contracts", str(GENERATED)], ROOT, DEMO),
        ([str(executable), str(npm), "run", "--silent", "contracts"], FRONTEND, node_environment(executable)),
    ):
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{done.stdout}{done.stderr}")
            return done.returncode
    after = written()
    changed = [name for name in after if before.get(name) != after[name]]
    if "--check" in sys.argv and changed:
        print(f"{', '.join(changed)} were out of step with the server and have been written anew: commit them.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
