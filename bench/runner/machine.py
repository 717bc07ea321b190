"""What the figures are measured on, and which processors each party may use."""

import os
import pathlib
import platform
import re
import subprocess

# One program that prints its version each, and what to look for in what it prints.
VERSIONS = {
    "HAProxy": (["haproxy", "-v"], r"version (\S+)"),
    "nginx": (["nginx", "-v"], r"nginx/(\S+)"),
    "hitch": (["hitch", "--version"], r"hitch (\S+)"),
    "stunnel": (["stunnel4", "-version"], r"stunnel (\S+)"),
    "MariaDB": (["mariadbd", "--no-defaults", "--version"], r"Ver (\S+)"),
    "OpenSSL": (["openssl", "version"], r"OpenSSL (\S+)"),
}


class TooSmall(Exception):
    """Fewer than two processors: nothing could be told apart."""


class Processors:
    """The proxy has one to itself; clients and servers have the others."""

    def __init__(self):
        usable = sorted(os.sched_getaffinity(0))
        if len(usable) < 2:
            raise TooSmall("two processors are needed: one for the proxy, one for all others")
        self.proxy = [usable[-1]]
        self.others = usable[:-1]

    @staticmethod
    def pinned(processors):
        """What stands before a command that may run there only."""
        return ["taskset", "--cpu-list", ",".join(map(str, processors))]

    @property
    def for_proxy(self):
        return self.pinned(self.proxy)

    @property
    def for_others(self):
        return self.pinned(self.others)


def processor_model():
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def version(program):
    command, pattern = VERSIONS[program]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    found = re.search(pattern, done.stdout)
    return found[1] if found else "unknown"


def description(processors, gatehouses):
    """Lines that say where and with what: `gatehouses` are programs by name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    lines = {
        "processor": f"{processor_model()}, {os.cpu_count()} of them",
        "memory": f"{memory:.0f} GiB",
        "kernel": platform.release(),
        "system": _system(),
        "pinned": f"proxies to {processors.proxy}, clients and servers to {processors.others}",
        "descriptors": str(os.sysconf("SC_OPEN_MAX")),
    }
    for name, program in gatehouses.items():
        lines[name] = _said_by(program)
    return lines | {name: version(name) for name in VERSIONS}


def _said_by(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True,
                          check=True).stdout.strip()


def _system():
    release = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    return re.search(r'^PRETTY_NAME="(.*)"$', release, re.MULTILINE)[1]
