"""The drivers that tests/drivers/install has put into its cache, outside the repository."""

import json
import os
import subprocess
import sys

from support import driver_cache
from support.gatehouse import REPOSITORY
from support.mariadb_server import PASSWORD

_SCRIPTS = REPOSITORY / "tests" / "drivers"


def import_pymysql():
    """The module, from the cache; call only where it is not missing."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    sys.path.append(str(driver_cache.folder("python") / "venv" / "lib" / version / "site-packages"))
    import pymysql  # pylint: disable=import-outside-toplevel  # Only now on the path.

    return pymysql


def run_node(driver, address, user, authority, scenarios, password=PASSWORD, tls=None):
    """Runs these scenarios with a Node.js driver: each one's name, with its error or None. `tls` is the
    only version to use."""
    host, port = address
    target = {"host": host, "port": port, "user": user, "password": password,
              "ca": str(authority), "tls": tls, "scenarios": scenarios}
    done = subprocess.run(
        ["node", str(_SCRIPTS / "node" / "scenarios.js"), driver, json.dumps(target)],
        env=os.environ | {"NODE_PATH": str(driver_cache.folder("node") / "node_modules")},
        capture_output=True, text=True, timeout=120, check=False)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and results, done.stdout + done.stderr
    return {result["scenario"]: result["error"] for result in results}
