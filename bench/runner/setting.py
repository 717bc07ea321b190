"""What all sections share: a folder that goes, certificates, processors, the tool's settings."""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

from runner.gateways import Certified
from runner.machine import Processors
from runner.peers import CIPHER, GROUP
from runner.tool import Tool
from support import processes
from support.certificates import Authority, BACKEND_NAMES, GATEWAY_NAMES
from support.mariadb_server import PASSWORD

# The client offers nothing else, so that all have the same.
OPENSSL = f"""
openssl_conf = settings
[settings]
ssl_conf = protocols
[protocols]
system_default = every
[every]
MinProtocol = TLSv1.3
Ciphersuites = {CIPHER}
Groups = {GROUP}
"""


class Setting(contextlib.ExitStack):
    """Ends with all that was started for it."""

    def __init__(self, options):
        super().__init__()
        self._section = contextlib.ExitStack()
        self.options = options
        self.gatehouses = options.gatehouses
        self.processors = Processors()
        self.folder = pathlib.Path(self.enter_context(
            tempfile.TemporaryDirectory(prefix="gatehouse-bench-")))
        authority = Authority(self.folder, "authority")
        self.identity = authority.issue("door", f"{GATEWAY_NAMES},{BACKEND_NAMES}")
        self.certified = Certified(authority.path, self.identity)
        self.both = self.folder / "both.pem"
        self.both.write_bytes(self.identity.certificate.read_bytes() +
                              self.identity.key.read_bytes())
        self.password_file = self.folder / "password"
        self.password_file.write_text(f"{PASSWORD}\n", encoding="utf-8")
        self.openssl_settings = self.folder / "openssl.cnf"
        self.openssl_settings.write_text(OPENSSL, encoding="utf-8")

        self.tool = Tool(self)
        self._stub = None
        self.callback(self.end_section)

    @property
    def stub(self):
        """Where a node that answers at once listens; started when it is first asked for."""
        if self._stub is None:
            self._stub = Program(
                "the stub", [*self.tool.pinned_program, "stub", "--port", str(self.options.stub_port)])
            self.callback(self._stub.stop)
        return self._stub.address

    def refusal_floor(self, how):
        """Refuses by `reset`, `alert` or `message`, with no more calls than it takes; where proxies
        run."""
        return Program("the floor", [*self.processors.for_proxy, str(self.options.floor), how])

    def during_section(self, party):
        """Stops `party` when the section ends; returns it."""
        self._section.callback(party.stop)
        return party

    def end_section(self):
        self._section.close()

    @contextlib.contextmanager
    def ordinary_priority(self):
        """Where threads of one process must give way to one another, as they do without
        --real-time."""
        before = os.sched_getscheduler(0), os.sched_getparam(0)
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        try:
            yield
        finally:
            os.sched_setscheduler(0, *before)

    def amount(self, quick, full):
        """What suits the run: a quick one or a full one."""
        return full if self.options.full else quick

    @staticmethod
    def progress(what):
        print(f"{what} …", file=sys.stderr, flush=True)


class Program:
    """One of the project's own, which listens for clients and says where."""

    def __init__(self, name, command):
        self._process = processes.start(command, stdout=subprocess.PIPE, text=True)
        words = self._process.stdout.readline().split()
        assert words[:1] == ["listening"], f"{name} does not listen: it says why above"
        host, port = words[-1].rsplit(":", 1)
        self.address = host, int(port)

    @property
    def pids(self):
        return [self._process.pid]

    def stop(self):
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()
