"""Runs one file of tests for ctest: `SKIPPED suite: reason` lines, and 77 where nothing ran."""

import collections
import pathlib
import sys

import pytest

ALL_SKIPPED = 77  # What ctest is told by SKIP_RETURN_CODE.


class Tally:
    """Counts what ran, and why what did not."""

    def __init__(self):
        self.ran = 0
        self.skipped = collections.Counter()

    def pytest_runtest_logreport(self, report):
        if report.skipped:
            self.skipped[report.longrepr[2].removeprefix("Skipped: ")] += 1
        elif report.when == "call":
            self.ran += 1

    def pytest_collectreport(self, report):
        if report.skipped:
            self.skipped[report.longrepr[2].removeprefix("Skipped: ")] += 1


def main():
    path = pathlib.Path(sys.argv[1])
    suite = "integration." + path.stem.removeprefix("test_")
    sys.dont_write_bytecode = True
    tally = Tally()
    code = pytest.main(["-q", "-p", "no:cacheprovider", "--durations=5", str(path), *sys.argv[2:]],
                       plugins=[tally])
    for reason, count in tally.skipped.items():
        print(f"SKIPPED {suite}: {reason} ({count} {'test' if count == 1 else 'tests'})")
    nothing_ran = tally.ran == 0 and tally.skipped
    if nothing_ran and code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return ALL_SKIPPED
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
