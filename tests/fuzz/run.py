#!/usr/bin/python3
"""Runs fuzz targets one after the other, and says of each how far it came.

`ctest` runs each for a few seconds. With GATEHOUSE_SOAK_SECONDS in the environment each runs for
its share of them: of all there are, however many are named. A run starts from the kept corpus and
from what those before it found, which stays in the build's folder `found`; so does what crashes.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
# Bounded in runs too, so that a fast machine is not kept busy; and the same each time.
EVERY_DAY = {"max_total_time": 8, "runs": 20000, "seed": 1}
ARTIFACTS = ("crash-", "leak-", "timeout-", "oom-")
COVERAGE = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")


def bounds(targets):
    """How long one of so many may run."""
    seconds = int(os.environ.get("GATEHOUSE_SOAK_SECONDS", "0"))
    return {"max_total_time": max(8, seconds // targets)} if seconds else EVERY_DAY


def figure(name, output):
    found = re.search(rf"^stat::{name}:\s+(\d+)", output, re.MULTILINE)
    return int(found[1]) if found else 0


class Target:
    """One target: what it is given, and what it leaves."""

    def __init__(self, build, name, longest_input):
        self.name = name
        self.longest_input = longest_input
        self.program = build / f"fuzz_{name}"
        self.found = build / "found" / name

    def run(self, limits):
        """Whether it held."""
        corpus = self.found / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        known = self.artifacts()
        options = {"max_len": self.longest_input, "timeout": 10, "rss_limit_mb": 1024,
                   "print_final_stats": 1, "artifact_prefix": f"{self.found}/",
                   "dict": HERE / f"{self.name}.dict", **limits}
        started = time.monotonic()
        done = subprocess.run(
            [self.program, *(f"-{key}={value}" for key, value in options.items()), corpus,
             HERE / "corpus" / self.name],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            check=False)
        new = sorted(self.artifacts() - known)
        self.report(done.stdout, time.monotonic() - started, new)
        if done.returncode == 0 and not new:
            return True
        print(done.stdout[-20000:])
        return False

    def artifacts(self):
        return {path for path in self.found.iterdir() if path.name.startswith(ARTIFACTS)}

    def report(self, output, seconds, new):
        last = COVERAGE.findall(output)
        edges, features, inputs = last[-1] if last else (0, 0, 0)
        runs = figure("number_of_executed_units", output)
        print(f"{self.name}: {runs} runs, {runs / seconds:.0f} a second, {edges} edges, "
              f"{features} features, {inputs} inputs, {figure('peak_rss_mb', output)} MB, "
              f"{len(new)} crashes", flush=True)
        for path in new:
            print(f"  {path}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="where the targets are")
    parser.add_argument("targets", nargs="*", help="default: all")
    arguments = parser.parse_args()
    lines = (arguments.build / "fuzz_targets.txt").read_text(encoding="utf-8").splitlines()
    known = {name: Target(arguments.build, name, longest)
             for name, longest in (line.split() for line in lines)}
    limits = bounds(len(known))
    held = [known[name].run(limits) for name in arguments.targets or known]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
