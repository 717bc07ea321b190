"""testssl.sh, which tries what is known to be wrong with TLS, finds nothing worse in any kind of listener
than in MariaDB itself with the same certificate."""

import concurrent.futures
import json
import shutil
import subprocess

import pytest

from support import s_client
from support.fake_node import FakeNode
from support.full import full_only
from support.mariadb_server import MariaDbServer
from support.every_kind import CASSANDRA, KINDS
from support.gateway_doors import Doors

MINUTES = 20
SEVERITIES = ["DEBUG", "INFO", "OK", "WARN", "LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL"]
# What may be worse than in MariaDB, and why.
EXPLAINED = {
    # "Check failed": it leaves without waiting for its ticket, and is too fast for some: MariaDB's, too.
    "sessionresumption_ticket": "WARN",
}


def _findings(address, certificates, protocol, report):
    """By id."""
    host, port = address
    # Nothing is asked of a name server or of anybody else, and nobody is asked whether to go on.
    done = subprocess.run(
        ["testssl", *protocol, "--nodns=none", "--quiet", "--color=0", "--warnings=off",
         "--openssl=/usr/bin/openssl", f"--add-ca={certificates.authority}",
         f"--jsonfile={report}", f"{host}:{port}"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=MINUTES * 60, check=False)
    assert report.is_file(), done.stdout + done.stderr
    found = {finding["id"]: finding for finding in json.loads(report.read_text())}
    # The last thing that it does.
    assert "scanTime" in found, done.stdout + done.stderr
    return found


def _worse(found, usual):
    """Those that weigh more than the same ones elsewhere, or are not found there."""
    worse = []
    for name, finding in found.items():
        severity = finding["severity"]
        least = max("OK", usual.get(name, {}).get("severity", "OK"), EXPLAINED.get(name, "OK"),
                    key=SEVERITIES.index)
        if SEVERITIES.index(severity) > SEVERITIES.index(least):
            worse.append(f"{name}: {severity}: {finding['finding']}")
    return worse


def test_what_weighs_more_or_is_new_is_worse():
    usual = {"A": {"severity": "LOW", "finding": "bad"}, "B": {"severity": "OK", "finding": "good"}}
    assert not _worse(usual, usual)
    assert _worse(usual | {"A": {"severity": "HIGH", "finding": "bad"}}, usual)
    assert _worse(usual | {"B": {"severity": "WARN", "finding": "unknown"}}, usual)
    assert _worse(usual | {"C": {"severity": "LOW", "finding": "bad"}}, usual)


@full_only
def test_no_listener_is_worse_than_mariadb(certificates, mariadb, tmp_path):
    if shutil.which("testssl") is None:
        pytest.skip("testssl.sh is not installed")
    identity = certificates.rsa_gateway
    certificate, key = str(identity.certificate), str(identity.key)
    with (MariaDbServer(certificates, [f"--ssl-cert={certificate}", f"--ssl-key={key}"]) as direct,
          FakeNode() as node,
          Doors(certificates, mariadb.tcp_backend, node.tcp_backend,
                listener_tls={"certificate": certificate, "key": key}) as doors,
          concurrent.futures.ThreadPoolExecutor() as pool):

        def begin(name, address):
            protocol = s_client.PLAIN if name == CASSANDRA else ("--starttls=mysql",)
            return pool.submit(_findings, address, certificates, protocol,
                               tmp_path / f"{name}.json")

        # What takes the time is waiting: all at once.
        usual = begin("direct", (direct.address, direct.port))
        scans = {kind: begin(kind, doors.gateway.address(kind)) for kind in KINDS}
        for kind, scan in scans.items():
            assert not _worse(scan.result(), usual.result()), kind
