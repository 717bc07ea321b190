"""sysbench: transactions of many threads on a few tables, until one fails or all are done."""

import pathlib
import re
import shutil
import subprocess

from support import soak
from support.mariadb_server import PASSWORD

THREADS = 8
TABLES = 2
ROWS = 5000
_TRANSACTIONS = "oltp_read_write"
# Each with a connection of its own.
RECONNECTING = str(pathlib.Path(__file__).with_name("sysbench.lua"))
# In its report. A deadlock makes it try again, any other error ends it.
_COUNT = re.compile(r"^\s+(transactions|reconnects):\s+(\d+)", re.MULTILINE)


def missing():
    """Why it cannot be run here; None if it can."""
    return None if shutil.which("sysbench") else "sysbench is not installed (Debian: sysbench)"


class Sysbench:
    """Works on the tables of one database; `folder` is for the files by which it uses TLS."""

    def __init__(self, address, user, database, certificates, folder):
        host, port = address
        self._connection = [
            "--db-driver=mysql", "--mysql-ssl=on", f"--mysql-host={host}", f"--mysql-port={port}",
            f"--mysql-user={user}", f"--mysql-password={PASSWORD}", f"--mysql-db={database}",
            f"--tables={TABLES}", f"--table-size={ROWS}"]
        self._folder = folder
        # It takes them from where it stands, by these names only.
        for name, file in (("cacert.pem", certificates.authority),
                           ("client-cert.pem", certificates.client.certificate),
                           ("client-key.pem", certificates.client.key)):
            (folder / name).symlink_to(file)

    def prepare(self):
        self._call(_TRANSACTIONS, "prepare")

    def run(self, events, script=_TRANSACTIONS):
        """So many transactions, or in a long run what time allows; what it counted, by name."""
        bounds = [f"--events={events}", "--time=0"]
        if soak.is_long():
            bounds = ["--events=0", f"--time={soak.seconds()}"]
        report = self._call(script, "run", f"--threads={THREADS}", *bounds)
        print(report)
        return {name: int(count) for name, count in _COUNT.findall(report)}

    def _call(self, script, command, *options):
        deadline = 120 + (soak.seconds() if soak.is_long() else 0)
        done = subprocess.run(
            ["sysbench", script, *self._connection, *options, command], cwd=self._folder,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=deadline, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
