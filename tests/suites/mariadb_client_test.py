"""Runs the functions of `mariadb-client-test`, the C API's own test, and tells which failed."""

import os
import re
import subprocess

from report import FAILED, PASSED, Outcome
from tls_forwarder import TlsForwarder
from ways import DIRECT

PROGRAM = "mariadb-client-test"
# `12 of (1/1): test_ps_conj_select  `; a function may announce parts of itself as well.
ANNOUNCED = re.compile(r"^\d+ of \(1/1\): (\w+)", re.MULTILINE)
# What differs from run to run: bytes of a buffer that was never filled, the time, connections' ids.
VARYING = re.compile(r"^ row \d: \d, \w+, .*|CURRENT_TIME.*|KILL \d+", re.MULTILINE)
# What passes nowhere: the program lists the one without having it; the other sends PROXY headers,
# which a server must be told to believe.
LEFT_OUT = {"test_logs", "test_proxy_header"}
# One function may wait for one of the server's timeouts; all of them take less than this.
TIMEOUT_SECONDS = 300


def listed(_):
    """The functions that the program says it has, in its order; there is no list of ours."""
    shown = subprocess.run([PROGRAM, "--no-defaults", "--show-tests"], capture_output=True,
                           text=True, timeout=60, check=True)
    names = re.findall(r"^test_\w+", shown.stdout, re.MULTILINE)
    return [name for name in names if name not in LEFT_OUT]


def run(names, way, authority, _):
    """What became of each function, by name, and what it said where it passed.

    Directly in plaintext, because the program cannot speak TLS; else with the forwarder's help.
    """
    if way.name == DIRECT:
        return _run(names, way.server.folder, way.port)
    with TlsForwarder(way.port, authority) as forwarder:
        return _run(names, way.server.folder, forwarder.port)


def _run(names, folder, port):
    """The program ends at the first failure, and is started again with the functions that remain."""
    outcomes = {}
    remaining = list(names)
    while remaining:
        text, code = _run_once(remaining, folder, port)
        begun = [name for name in ANNOUNCED.findall(text) if name in remaining]
        passed, failed = remaining, []
        if code != 0:
            # Where none is announced it did not even connect.
            at = remaining.index(begun[-1]) if begun else 0
            passed, failed = remaining[:at], remaining[at:at + 1]
        said = _by_function(text, remaining)
        for name in passed:
            outcomes[name] = Outcome(PASSED, said.get(name, ""))
        for name in failed:
            outcomes[name] = Outcome(FAILED, text[-2000:])
        remaining = remaining[len(passed) + len(failed):]
    return outcomes


def _by_function(text, names):
    """What each of the functions said, without what varies, by name."""
    starts = [found for found in ANNOUNCED.finditer(text) if found[1] in names]
    ends = [found.start() for found in starts[1:]] + [len(text)]
    return {found[1]: VARYING.sub("", text[found.end():end])
            for found, end in zip(starts, ends)}


def _run_once(names, folder, port):
    """What the program says, and its exit status."""
    command = [PROGRAM, "--no-defaults", "--host=127.0.0.1", f"--port={port}", "--user=root",
               f"--vardir={folder}", "--testcase", *names]
    environment = os.environ | {"MYSQL_TMP_DIR": f"{folder}/tmp"}
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired as expired:
        return (expired.stdout or b"").decode(errors="replace") + "\ntimed out", None
    return done.stdout, done.returncode
