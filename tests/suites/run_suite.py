"""Runs a test suite of MariaDB's by every way there is to a server, and compares.

Usage: run_suite.py [--rewriting-rules] mariadb_test_run|mariadb_client_test [TEST...]. Without names:
those listed for every day, or, where GATEHOUSE_SUITES is `all`, all that are listed. Exit status: 0 where all that
passes directly passes through the gateway as well or is known to differ, 1 where not, 77 skipped.
"""

import argparse
import concurrent.futures
import contextlib
import importlib
import os
import pathlib
import signal
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import report  # noqa: E402, after the path to what it shares with the integration tests
import suite_server  # noqa: E402
from support import gatehouse  # noqa: E402
from support.rewriting import Rewriting  # noqa: E402
from ways import DIRECT, RULE_FILE, RULES, Ways  # noqa: E402

SKIPPED = 77
PROGRESS_EVERY = 50
# A list of tests that pass directly proves nothing where they do not.
PASSED_DIRECTLY = 0.95
TRIES = 5


class Progress:
    """Tells from time to time how far one way is."""

    _turn = threading.Lock()

    def __init__(self, way, total):
        self._way = way
        self._total = total
        self._done = 0
        self._failed = 0
        self._start = time.monotonic()

    def __call__(self, outcome):
        self._done += 1
        self._failed += outcome.word == report.FAILED
        if self._done % PROGRESS_EVERY == 0:
            with self._turn:
                print(f"{self._way}: {self._done} of {self._total}, {self._failed} failed, "
                      f"{self.seconds():.0f} s", flush=True)

    def seconds(self):
        return time.monotonic() - self._start


def run_every_way(suite, tests, ways, known):
    """Outcomes by way and test, and seconds by way, of all ways at a time."""
    def run(way):
        progress = Progress(way.name, len(tests))
        # What a test leaves behind that fails half-way must not fail others: those that will are
        # last.
        always = known.always(way.name)
        parts = [[test for test in tests if test not in always],
                 [test for test in tests if test in always]]
        outcomes = {}
        for part in filter(None, parts):
            outcomes |= suite.run(part, way, ways.authority, progress)
        return {test: outcomes[test] for test in tests}, progress.seconds()

    with concurrent.futures.ThreadPoolExecutor(len(ways.all)) as pool:
        try:
            results = list(pool.map(run, ways.all))
        except BaseException:
            ways.kill_servers()  # Else the pool would be waited for to the end of the suite.
            raise
    outcomes = {way.name: result[0] for way, result in zip(ways.all, results)}
    return outcomes, {way.name: result[1] for way, result in zip(ways.all, results)}


def bypasses(tests, ways):
    """Complaints about ways whose connections did not come through the gateway.

    Their servers listen where no client is told to look (ways.py). Logins cannot be compared: a
    server counts its own threads for events and delayed inserts as logins.
    """
    for way in ways.all[1:]:
        through = way.sessions()
        print(f"{way.name}: {through} sessions of the gateway")
        if through < len(tests):
            yield f"{way.name}: there are tests that did not come through the gateway"


def passes_again(suite, test, way, authority):
    """Whether a test passes at least once when it is tried a few times more."""
    return any(suite.run([test], way, authority, lambda outcome: None)[test].word == report.PASSED
               for _ in range(TRIES))


def judge(suite, outcomes, ways, known):
    """Complaints about outcomes; prints differences, known ones with their reasons."""
    direct = outcomes[DIRECT]
    passed = sum(outcome.word == report.PASSED for outcome in direct.values())
    for test, outcome in direct.items():
        if outcome.word != report.PASSED:
            print(f"does not pass directly: {test}: {outcome.word} {outcome.text[:200]}")
    if passed < len(direct) * PASSED_DIRECTLY:
        yield f"only {passed} of {len(direct)} pass directly"
    for way in ways.all[1:]:
        for test, how in report.differences(direct, outcomes[way.name], way.name):
            reason = known.reason(way.name, test,
                                  lambda: passes_again(suite, test, way, ways.authority))
            if reason:
                print(f"known to differ: {way.name}: {test}: {reason}")
            else:
                yield f"{way.name}: {test}: {how}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("suite", choices=["mariadb_test_run", "mariadb_client_test"])
    parser.add_argument("tests", nargs="*")
    parser.add_argument("--rewriting-rules", action="store_true",
                        help="change the gateway's rule file every second")
    arguments = parser.parse_args()
    if reason := suite_server.why_not_here():
        print(f"SKIPPED suite.{arguments.suite}: {reason}")
        return SKIPPED
    assert os.access(gatehouse.binary(), os.X_OK), (
        f"{gatehouse.binary()} is not a program: build it, or set GATEHOUSE_BINARY")
    # So that the servers end, and their folders go, when ctest or a person ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

    suite = importlib.import_module(arguments.suite)
    tests = arguments.tests or suite.listed(os.environ.get("GATEHOUSE_SUITES", "every-day"))
    known = report.Known(HERE / f"{suite.__name__}_differences.txt")
    with Ways() as ways:
        rewriting = (Rewriting(ways.gateway, RULE_FILE, RULES) if arguments.rewriting_rules
                     else contextlib.nullcontext())
        with rewriting:
            outcomes, seconds = run_every_way(suite, tests, ways, known)
        if arguments.rewriting_rules:
            print(f"the rules were rewritten {rewriting.count} times")
        complaints = [*bypasses(tests, ways), *judge(suite, outcomes, ways, known)]
        print("\n".join(report.table(outcomes, seconds)))
        for complaint in complaints:
            print(f"error: {complaint}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
