"""Runs the functions of `mariadb-client-test`, the C API's own test, each by itself."""

import os
import re
import subprocess

from report import FAILED, PASSED, Outcome
from tls_forwarder import TlsForwarder
from ways import DIRECT

PROGRAM = "mariadb-client-test"
# What passes nowhere when it is alone: the program lists the first without having it, the second
# sends PROXY headers, the others use what functions before them left behind.
LEFT_OUT = {"test_logs", "test_proxy_header", "test_cursors_with_union",
            "test_cursors_with_procedure"}
# What differs from run to run: bytes of a buffer that was never filled, times, connections' ids.
VARYING = re.compile(r"^ row \d: \d, \w+, .*|CURRENT_TIME.*|KILL \d+|Total execution time.*",
                     re.MULTILINE)
TIMEOUT_SECONDS = 120


def listed(_):
    """The functions that the program says it has, in its order; there is no list of ours."""
    shown = subprocess.run([PROGRAM, "--no-defaults", "--show-tests"], capture_output=True,
                           text=True, timeout=60, check=True)
    names = re.findall(r"^test_\w+", shown.stdout, re.MULTILINE)
    return [name for name in names if name not in LEFT_OUT]


def run(names, way, authority, on_result):
    """What became of each function, by name, and what it said; `on_result` is told of each.

    Directly in plaintext, because the program cannot speak TLS; else with the forwarder's help.
    """
    way.server.execute("SET GLOBAL sql_mode = ''")  # One of the first functions does that.
    if way.name == DIRECT:
        return _run(names, way, way.port, on_result)
    with TlsForwarder(way.port, authority) as forwarder:
        return _run(names, way, forwarder.port, on_result)


def _run(names, way, port, on_result):
    outcomes = {}
    for name in names:
        text, passed = _run_one(name, way.server.folder, port)
        text = VARYING.sub("", text.replace(str(way.server.folder), "VARDIR"))
        outcomes[name] = Outcome(PASSED if passed else FAILED, text)
        on_result(outcomes[name])
    return outcomes


def _run_one(name, folder, port):
    """What the program says, and whether it is content."""
    command = [PROGRAM, "--no-defaults", "--host=127.0.0.1", f"--port={port}", "--user=root",
               f"--vardir={folder}", "--testcase", name]
    environment = os.environ | {"MYSQL_TMP_DIR": f"{folder}/tmp"}
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired as expired:
        return (expired.stdout or b"").decode(errors="replace") + "\ntimed out", False
    return done.stdout, done.returncode == 0
