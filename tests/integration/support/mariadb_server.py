"""A private MariaDB in a temporary folder: started in a fraction of a second, ended by its id."""

import errno
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from support import mariadb_versions, processes
from support.waiting import wait_until

PASSWORD = "correct horse"
# What accounts may do, and how they prove who they are. Hosts are '%': the gateway's leg decides
# which address the server sees.
ACCOUNTS = f"""
CREATE DATABASE shop;
CREATE USER native@'%' IDENTIFIED BY '{PASSWORD}';
CREATE USER second@'%' IDENTIFIED BY '{PASSWORD}';
CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('{PASSWORD}');
CREATE USER empty@'%' IDENTIFIED BY '';
CREATE USER tls_only@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;
GRANT ALL ON shop.* TO native@'%', second@'%', ed@'%', empty@'%', tls_only@'%';
GRANT PROCESS ON *.* TO native@'%';
"""
# These sum to what two cores start quickly; nothing here measures the server.
SMALL = ["--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M", "--performance-schema=OFF",
         "--max-allowed-packet=128M", "--local-infile=1", "--plugin-load-add=auth_ed25519"]


class MariaDbServer:
    """Listens on an address and a unix socket, with TLS 1.2 and 1.3; `root` has no password.

    `enter`: what starts it elsewhere, such as in a network namespace of its own. `installation`:
    which server it is, of support.mariadb_versions.
    """

    # What a server for another purpose has different.
    data = "data"
    install_options = []
    default_options = SMALL
    statements = ACCOUNTS

    def __init__(self, certificates, options=(), bind_address="127.0.0.1", enter=(),
                 installation=None):
        # A folder of its own with a short name: a unix socket's path has room for 107 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-db-"))
        self.socket = self.folder / "s.sock"
        self.address = bind_address
        self._installation = installation or mariadb_versions.debian()
        self._log = self.folder / "error.log"
        self._process = None
        # Not the system's: a server that starts there deletes temporary tables of all others.
        (self.folder / "tmp").mkdir()
        self._environment = os.environ | {"TMPDIR": str(self.folder / "tmp")}
        try:
            self._install()
            self._enter = list(enter)
            self._options = [f"--ssl-ca={certificates.authority}",
                             f"--ssl-cert={certificates.backend.certificate}",
                             f"--ssl-key={certificates.backend.key}", *self.default_options,
                             *options]
            self.port = self._start_on_a_free_port()
            self.execute(self.statements)
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def tcp_backend(self):
        return f"{self.address}:{self.port}"

    @property
    def unix_backend(self):
        return f"unix:{self.socket}"

    def execute(self, sql):
        """Runs statements as root; returns the rows as tab-separated text."""
        done = subprocess.run(
            ["mariadb", "--no-defaults", "-uroot", f"--socket={self.socket}", "--batch",
             "--skip-column-names"],
            input=sql, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{sql}\n{done.stderr}"
        return done.stdout.strip()

    def status(self, variable):
        """A global status counter, such as Aborted_connects."""
        return int(self.execute(f"SHOW GLOBAL STATUS LIKE '{variable}'").split("\t")[1])

    def sessions_of(self, *users):
        """How many connections these accounts have open now."""
        names = ",".join(f"'{user}'" for user in users)
        return int(self.execute(
            f"SELECT COUNT(*) FROM information_schema.processlist WHERE user IN ({names})"))

    def is_running(self):
        return self._process.poll() is None

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self):
        """Ends it as a crash does; nothing is written back."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def start_again(self, more_options=()):
        """With the port and the data it had before `kill`."""
        self._options += more_options
        assert self._starts_on(self.port), f"MariaDB did not start again:\n{self.log_text()}"

    def _install(self):
        done = subprocess.run(
            [*self._installation.install_db(), f"--datadir={self.folder}/{self.data}",
             *self.install_options],
            env=self._environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def _start_on_a_free_port(self):
        # The server does not tell which port it got for 0: picked here, another one if it is taken.
        for _ in range(5):
            port = _free_port(self.address)
            if self._starts_on(port):
                return port
        raise AssertionError(f"MariaDB did not start:\n{self.log_text()}")

    def _starts_on(self, port):
        with open(self.folder / "output.log", "ab") as output:
            self._process = processes.start(
                [*self._enter, *self._installation.server(), f"--datadir={self.folder}/{self.data}",
                 f"--socket={self.socket}", f"--pid-file={self.folder}/pid",
                 f"--log-error={self._log}", f"--bind-address={self.address}", f"--port={port}",
                 "--tls-version=TLSv1.2,TLSv1.3", *self._options],
                env=self._environment, stdout=output, stderr=output)
        return self._becomes_ready()

    def _becomes_ready(self):
        """Whether it greets on its socket; False if it ended, for instance because of its port."""

        def greets_or_ended():
            if self._process.poll() is not None:
                return True
            with socket.socket(socket.AF_UNIX) as probe:
                return probe.connect_ex(str(self.socket)) == 0

        wait_until(greets_or_ended, "MariaDB greets on its socket", deadline=60)
        return self._process.poll() is None

    def log_text(self):
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def version(self):
        return re.sub(r"\s", "", self.execute("SELECT VERSION()"))


def _free_port(address):
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
            return 3306  # In a network of its own it has every port.
        return probe.getsockname()[1]
