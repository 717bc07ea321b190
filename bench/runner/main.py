"""Measures the gateway beside its peers, and holds what it found against the project's goals.

`bench/run` installs and builds what this takes, and starts it.
"""

import argparse
import contextlib
import os
import pathlib
import resource
import signal
import sys
import time

BENCH = pathlib.Path(__file__).resolve().parents[1]
REPOSITORY = BENCH.parent
sys.path[:0] = [str(BENCH), str(REPOSITORY / "tests" / "integration")]

# pylint: disable=wrong-import-position
from runner import (
    machine, results, section_denied, section_idle, section_mariadb, section_micro,
    section_requests, section_rules, section_tls)
from runner.findings import Findings
from runner.setting import Setting
from runner.tool import Failed

SECTIONS = [section_mariadb, section_tls, section_requests, section_idle, section_denied,
            section_rules, section_micro]


def main():
    options = parsed()
    # So that all that was started ends, and the folder goes, when something else ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    os.environ["GATEHOUSE_BINARY"] = str(next(iter(options.gatehouses.values())))
    if options.real_time:
        # Inherited by all that is started.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    options.results.mkdir(parents=True, exist_ok=True)
    try:
        # What gateways have to say when they end is not the result.
        with contextlib.redirect_stdout(sys.stderr), Setting(options) as setting:
            written = measured(setting)
    except (Failed, machine.TooSmall) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    print(written.as_markdown())
    written.write(options.results)
    print(f"In {options.results}: results.md, results.json; results.html leads to curves.")
    return 0


def measured(setting):
    started = time.monotonic()
    written = results.Results(machine.description(setting.processors, setting.gatehouses),
                              "bench/run " + " ".join(sys.argv[1:]))
    for section in SECTIONS:
        if setting.options.only and section.NAME not in setting.options.only:
            continue
        setting.progress(f"== {section.TITLE}")
        try:
            findings = section.run(setting)
        finally:
            setting.end_section()
        written.add(section, findings or Findings())
        written.seconds = time.monotonic() - started
        written.write(setting.options.results)
    return written


def parsed():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("--full", action="store_true",
                        help="more rounds, and as many sessions as there can be; else some minutes")
    parser.add_argument("--only", action="append", metavar="NAME",
                        choices=[section.NAME for section in SECTIONS],
                        help="only this section; may be repeated: "
                        + ", ".join(section.NAME for section in SECTIONS))
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=HOST:PORT",
                        help="another one, with TLS from byte 0 before --stub-port; repeatable")
    parser.add_argument("--stub-port", type=int, default=0, metavar="N",
                        help="where the stub behind the proxies listens (default: any free port)")
    parser.add_argument("--gatehouse", action="append", default=[], metavar="NAME=FILE",
                        help="another build of the gateway to measure beside; repeatable")
    parser.add_argument("--real-time", action="store_true",
                        help="all parties go before whatever else this machine does")
    parser.add_argument("--results", type=pathlib.Path, default=BENCH / "results",
                        metavar="FOLDER", help="where they are written (default: bench/results)")
    options = parser.parse_args()
    build = REPOSITORY / "build" / "release"
    options.tool = build / "gatehouse-bench"
    options.gatehouses = {"gatehouse": build / "gatehouse"} | {
        name: pathlib.Path(file).resolve() for name, file in pairs(parser, options.gatehouse)}
    options.floor = build / "refusal_floor"
    for program in (options.tool, options.floor, *options.gatehouses.values()):
        if not os.access(program, os.X_OK):
            parser.error(f"{program} is not a program; bench/run builds those of this project")
    options.peers = {name: host_and_port(parser, at) for name, at in pairs(parser, options.peer)}
    return options


def pairs(parser, texts):
    for text in texts:
        name, is_there, value = text.partition("=")
        if not (name and is_there and value):
            parser.error(f"{text}: NAME=VALUE is wanted")
        yield name, value


def host_and_port(parser, text):
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        parser.error(f"{text}: HOST:PORT is wanted")
    return host, int(port)


if __name__ == "__main__":
    sys.exit(main())
