"""Runs gatehouse-bench over several ways to a server, and gives what it found."""

import dataclasses
import json
import os
import subprocess

from runner.findings import paired, ratio


@dataclasses.dataclass
class Way:
    """A target by its name, and the processes whose time and memory are counted."""

    name: str
    scheme: str
    address: tuple
    pids: tuple = ()

    def target(self):
        host, port = self.address
        return f"{self.name}={self.scheme}://{host}:{port}"


class Failed(Exception):
    """The tool could not measure; its own words say why."""


class Report:
    """What one run of the tool printed as JSON."""

    def __init__(self, title, page, data):
        self.title = title
        self.page = page  # the name of the file that has its curves
        self.data = data
        self.targets = {each["target"]: each for each in data["targets"]}

    def figure(self, target, quantity, percentile="p50"):
        """In microseconds; None: too few samples."""
        return self.targets[target]["microseconds"][quantity][percentile]

    def medians(self, target, quantity):
        """One a round."""
        return self.targets[target]["microseconds"][quantity]["medians_of_rounds"]

    def paired(self, target, to, quantity):
        """The ratio of the medians of two targets, round by round."""
        return paired(self.medians(target, quantity), self.medians(to, quantity))

    def ratio(self, target, to, quantity, percentile):
        """Of all samples: percentiles of single rounds would be of too few."""
        return ratio(*(self.figure(name, quantity, percentile) for name in (target, to)))

    def rounds(self, target, name):
        """A figure that each round has one of, such as `cpu`; empty: it is not known."""
        return self.targets[target]["figures"].get(name, {"rounds": []})["rounds"]

    def median(self, target, name):
        return self.targets[target]["figures"].get(name, {"median": None})["median"]

    def steps(self, target, name):
        """What it was at each of data["steps"]."""
        return self.targets[target]["by_step"][name]["steps"]

    def paired_rounds(self, target, to, name):
        return paired(self.rounds(target, name), self.rounds(to, name))


class Tool:
    """Pinned to where clients run; offers the one cipher and group that all have."""

    def __init__(self, setting):
        self._setting = setting
        self.pinned_program = [*setting.processors.for_others, str(setting.options.tool)]
        self.environment = os.environ | {"OPENSSL_CONF": str(setting.openssl_settings)}

    def run(self, command, title, ways, *options):
        """Leaves a page with curves, which the title names, among the results."""
        self._setting.progress(title)
        page = f"{'-'.join(title.replace(',', '').split())}.html"
        arguments = [*self.pinned_program, command, "--user", "native", "--password-file",
                     self._setting.password_file, *options,
                     *(f"--process={way.name}={','.join(map(str, way.pids))}"
                       for way in ways if way.pids),
                     "--format", "json", "--html", self._setting.options.results / page,
                     *(way.target() for way in ways)]
        done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True,
                              check=False, env=self.environment)
        if done.returncode != 0:
            raise Failed(f"{command}, {title}: {done.stderr.strip()}")
        return Report(title, page, json.loads(done.stdout))
