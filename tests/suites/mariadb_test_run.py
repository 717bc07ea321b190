"""Runs tests of MariaDB's suite against an address, and reads what became of each."""

import collections
import contextlib
import os
import pathlib
import re
import signal
import subprocess

from report import FAILED, NOT_RUN, PASSED, SKIPPED, Outcome
from suite_server import SUITE
from support import processes

# `main.connect2      [ pass ]     73`; a worker's name may stand between, and `retry-` before.
RESULT = re.compile(r"^main\.(\S+)\s.*?\[ (?:retry-)?(pass|fail|skipped|disabled) \]\s*(.*)$")
WORDS = {"pass": PASSED, "fail": FAILED, "skipped": SKIPPED, "disabled": SKIPPED}
# What the suite takes for the server's socket unless it is told another; then its clients would
# prefer that to TCP. Nothing listens there.
SOCKET = os.path.join(os.sep, "tmp", "mysqld.sock")
LIST = pathlib.Path(__file__).with_name("mariadb_tests.txt")


def listed(selection):
    """The names in the list of tests: `all` of them, or those marked with `selection`."""
    rows = [line.split() for line in LIST.read_text().splitlines() if not line.startswith("#")]
    return [row[0] for row in rows if row and (selection == "all" or selection in row[1:])]


def run(tests, way, authority, on_result):
    """What became of each of `tests`, by name, at the way's port of `localhost`, over verified TLS.

    `on_result` is told of each as soon as it is known.
    """
    # Without a name the suite would run all it has; with one it does not have, nothing.
    there = [test for test in tests if (SUITE / "main" / f"{test}.test").is_file()]
    assert there, "none of these tests is in MariaDB's suite"
    outcomes = {}
    output = collections.deque(maxlen=20)
    environment = os.environ | {"MASTER_MYPORT": str(way.port), "MASTER_MYSOCK": SOCKET}
    suite = processes.start(_command(there, way, authority), cwd=SUITE, env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace")
    try:
        for test, outcome in _read(suite.stdout, output):
            outcomes[test] = outcome
            on_result(outcome)
            if not way.is_up():  # Each test that is left would wait for it.
                break
    finally:
        # It has children of its own, which it would leave behind if this were cut short.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(suite.pid, signal.SIGTERM)
        suite.wait()
        suite.stdout.close()
    not_run = Outcome(NOT_RUN, "the suite's last words:\n" + "".join(output))
    return {test: outcomes.get(test, not_run) for test in tests}


def _command(tests, way, authority):
    reached = {"host": "localhost", "port": way.port, "user": "root", "protocol": "tcp",
               "ssl-ca": authority, "ssl-verify-server-cert": 1}
    externals = [f"--extern={key}={value}" for key, value in reached.items()]
    return ["perl", "mariadb-test-run.pl", *externals, f"--vardir={way.server.folder}", "--force",
            "--max-test-fail=0", "--retry=1", "--testcase-timeout=1", "--nowarnings",
            "--max-save-core=0", "--max-save-datadir=0", *(f"main.{test}" for test in tests)]


def _read(lines, output):
    """Each test with its outcome, as soon as all that is said about it has been read; `output` is
    given every line."""
    test = outcome = None
    for line in lines:
        output.append(line)
        if found := RESULT.match(line):
            if test is not None:
                yield test, outcome
            word = WORDS[found[2]]
            # Behind a passed test stands only how long it took.
            test, outcome = found[1], Outcome(word, "" if word == PASSED else found[3])
        elif outcome is not None and outcome.word == FAILED:
            outcome.text += "\n" + line.rstrip()
    if test is not None:
        yield test, outcome
