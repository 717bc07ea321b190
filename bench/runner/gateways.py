"""The gateway in each role that is measured, with its peers' limits and nothing else unusual."""

import contextlib
import io
import os
import sys
import unittest.mock

from runner.addresses import as_text
from support import configuration
from support.gatehouse import Gatehouse
from support.waiting import wait_until

SESSIONS_MAX = 10_000
# As the peers have none for each source.
LIMITS = {"sessions": SESSIONS_MAX, "sessions_per_source": SESSIONS_MAX}
LOOPBACK = "loopback 127.0.0.0/8"


class Certified:
    """The identity that all present, in the shape that the tests' configuration wants."""

    def __init__(self, authority, identity):
        self.authority = authority
        self.gateway = identity
        self.backend = identity


class Gateway:
    """A running gateway, as a peer is."""

    def __init__(self, setting, name, yaml, rules):
        self.name = name
        self._gatehouse = Gatehouse(yaml, rules, enter=setting.processors.for_proxy)
        self.folder = self._gatehouse.folder
        try:
            with _program(setting.gatehouses[name]):
                self._gatehouse.start()
        except BaseException:
            self._gatehouse.destroy()
            raise

    @property
    def pid(self):
        return self._gatehouse.pid

    @property
    def pids(self):
        return [self.pid]

    @property
    def address(self):
        return self._gatehouse.address()

    def load_after(self, change):
        """Until what `change` did to its files, which it watches, is in force: by its log, which
        costs it nothing."""
        before = self._loads()
        change()
        wait_until(lambda: self._loads() > before, f"{self.name} loads its files again", poll=0.05)

    def _loads(self):
        return self._gatehouse.log_text().count(" is in force: ")

    def stop(self):
        # It prints the log, which the tests' runner shows where one fails.
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                self._gatehouse.stop()
        except AssertionError:
            sys.stderr.write(printed.getvalue())
            raise


@contextlib.contextmanager
def _program(path):
    with unittest.mock.patch.dict(os.environ, {"GATEHOUSE_BINARY": str(path)}):
        yield


def cassandra(setting, name, backend, rules=None, **listener_keys):
    """TLS from byte 0 in front of one plaintext node."""
    yaml = configuration.cassandra_yaml(
        setting.certified, {"mode": "single"}, [as_text(backend)], listener_keys,
        server_keys={"tls": {"mode": "off"}}, workers=1, limits=LIMITS)
    text = rules or configuration.rule_file(LOOPBACK, configuration.CLUSTER)
    return Gateway(setting, name, yaml, {"events.yaml": text})


def mariadb(setting, name, backend, backend_tls="off", rules=None, **listener_keys):
    """STARTTLS in front of one MariaDB, given as gateway.yaml names it."""
    yaml = configuration.gateway_yaml(
        setting.certified, [backend], backend_tls,
        listeners=[configuration.listener(setting.certified, **listener_keys)], workers=1,
        limits=LIMITS)
    return Gateway(setting, name, yaml,
                   {"orders.yaml": rules or configuration.rule_file(LOOPBACK)})
