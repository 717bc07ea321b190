"""The real binary with a folder of its own: what it is told, what it says, how it ends."""

import contextlib
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

from support import configuration, metrics, processes
from support.session import Session
from support.waiting import DEADLINE_SECONDS, wait_until

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
# What sanitizers, libstdc++'s assertions and our own print before they end a process.
BROKEN = re.compile(r"AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:|Assertion|"
                    r"GW_ASSERT|terminate called")


def binary():
    """The program under test."""
    return os.environ.get("GATEHOUSE_BINARY", str(REPOSITORY / "build" / "dev" / "gatehouse"))


def tls_library():
    """The one that the program under test is built with: "OpenSSL" or "AWS-LC"."""
    said = subprocess.run([binary(), "--version"], capture_output=True, text=True, timeout=60,
                          check=True).stdout
    return re.search(r", (OpenSSL|AWS-LC) ", said)[1]


class Gatehouse:
    """Runs `gatehouse run` until `stop`, which fails the test unless all ended in order."""

    def __init__(self, yaml, rules=None, enter=()):
        """`yaml`: gateway.yaml as a dictionary; `rules`: file name to text, below rules/; `enter`:
        what stands before the command that runs it."""
        self._enter = list(enter)
        # A short name: the admin socket's path has room for 107 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-"))
        self.yaml_path = self.folder / "gateway.yaml"
        self.audit_path = self.folder / "audit.jsonl"
        (self.folder / "rules").mkdir()
        self.write_configuration(yaml)
        if rules is None:
            rules = {"orders.yaml": configuration.EVERYONE_ON_LOOPBACK}
        for name, text in rules.items():
            self.write_rules(text, name)
        self._process = None

    # Running

    def start(self):
        self._listening = {}
        self._lines = queue.Queue()
        self._stderr = open(self.folder / "stderr.log", "ab")
        self._process = processes.start(
            [*self._enter, binary(), "run", "--config", str(self.yaml_path)], stdout=subprocess.PIPE,
            stderr=self._stderr, text=True)
        threading.Thread(target=self._read_stdout, args=(self._process.stdout, self._lines),
                         daemon=True).start()
        self._read_until("ready")
        return self

    @staticmethod
    def _read_stdout(stdout, lines):
        for line in stdout:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    def _read_until(self, wanted):
        """Takes lines of stdout, noting addresses, up to one that `wanted` equals or matches."""
        while True:
            try:
                line = self._lines.get(timeout=DEADLINE_SECONDS)
            except queue.Empty:
                line = None
            assert line is not None, f"no {wanted!r} on stdout; stderr:\n{self.log_text()}"
            if line.startswith("listening ") and " node " not in line:
                _, name, address = line.split(" ")
                self._listening.setdefault(name, []).append(address)
            if line.startswith(wanted):
                return line

    def wait_for_listener(self, name):
        """The address of a listener that a reload brings."""
        line = self._read_until(f"listening {name} ")
        while " node " in line:
            line = self._read_until(f"listening {name} ")
        return _host_and_port(line.split(" ")[2])

    def wait_for_node(self, name, host_id):
        """The address of a listener's node that was not there before."""
        line = self._read_until(f"listening {name} node {host_id} ")
        return _host_and_port(line.split(" ")[4])

    def kill_and_start_again(self):
        """As after a loss of power, but for what the kernel still had to write."""
        self._process.kill()
        self._process.wait()
        self._stderr.close()
        return self.start()

    def stop(self):
        """SIGTERM, then everything that must hold when a gateway has ended."""
        try:
            if self._process is None:
                return
            if self._process.poll() is None:
                self.signal(signal.SIGTERM)
            code = self.wait_for_exit()
            log = self.log_text()
            assert code == 0, f"exited with {code}; stderr:\n{log}"
            assert not BROKEN.search(log), f"stderr shows a broken promise:\n{log}"
        finally:
            self.destroy()

    def wait_for_exit(self):
        try:
            return self._process.wait(timeout=DEADLINE_SECONDS + 10)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not exit; stderr:\n{self.log_text()}") from None

    def destroy(self):
        """Ends the process whatever its state, and removes the folder."""
        if self._process is not None:
            print(f"stderr of the gateway in {self.folder}:\n{self.log_text()}")  # On failure only.
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()
            self._stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def signal(self, number):
        self._process.send_signal(number)

    @property
    def pid(self):
        return self._process.pid

    def thread_states(self):
        """A letter each, as in proc(5)."""
        return [stat.read_text().rpartition(")")[2].split()[0]
                for stat in pathlib.Path(f"/proc/{self.pid}/task").glob("*/stat")]

    @contextlib.contextmanager
    def standing_still(self):
        """Whatever comes meanwhile is there at once when it goes on."""
        self.signal(signal.SIGSTOP)
        try:
            wait_until(lambda: set(self.thread_states()) == {"T"}, "the gateway stands still")
            yield
        finally:
            self.signal(signal.SIGCONT)

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def log_text(self):
        return (self.folder / "stderr.log").read_text(errors="replace")

    # Reaching it

    def address(self, listener=configuration.LISTENER):
        return _host_and_port(self._listening[listener][0])

    def addresses(self, listener):
        return [_host_and_port(address) for address in self._listening[listener]]

    @property
    def port(self):
        return self.address()[1]

    def connect(self, source="127.0.0.1", listener=configuration.LISTENER):
        return Session(self.address(listener), source)

    # What an operator writes

    def write_configuration(self, yaml):
        text = yaml if isinstance(yaml, str) else configuration.write(yaml)
        self._replace(self.yaml_path, text)

    def write_rules(self, text, name="orders.yaml"):
        self._replace(self.folder / "rules" / name, text)

    @staticmethod
    def _replace(path, text):
        # In one step, as careful editors do: a reader sees the old file or the new one.
        beside = path.with_name(f".{path.name}.new")
        beside.write_text(text)
        beside.rename(path)

    # What an operator reads

    def command(self, *arguments, code=0):
        """Runs a subcommand against this gateway's configuration; returns its stdout."""
        done = self.run_command(*arguments)
        assert done.returncode == code, (
            f"gatehouse {' '.join(arguments)}: exit {done.returncode}, not {code}\n"
            f"{done.stdout}{done.stderr}{self.log_text() if self._process else ''}")
        return done.stdout

    def run_command(self, *arguments):
        return run(arguments[0], "--config", str(self.yaml_path), *arguments[1:])

    def json_command(self, *arguments, code=0):
        return json.loads(self.command(*arguments, "--format", "json", code=code))

    def status(self):
        return self.json_command("status")

    def generation(self):
        return self.status()["snapshot"]["generation"]

    def wait_for_generation_after(self, generation):
        return wait_until(lambda: self.generation() > generation and self.generation(),
                          f"a snapshot after generation {generation}")

    def audit(self, event=None, **fields):
        """The records of all so far that have these values, those that gather for a write too."""
        wait_until(lambda: not self._gathers_events(), "what gathers is in the audit")
        return read_audit(self.audit_path, event, **fields)

    def _gathers_events(self):
        if not self.is_running():
            return False
        status = self.run_command("status", "--format", "json")
        if status.returncode != 0:
            return False  # It cannot be asked: what is there is there.
        audit = json.loads(status.stdout)["audit"]
        return audit["writable"] and audit["queued"] > 0

    def wait_for_audit(self, event, count=1, **fields):
        """The first `count` records like that; one of them, not a list, where count is 1."""
        found = wait_until(
            lambda: self._enough_records(event, count, **fields),
            f"{count} × {event} {fields} in the audit, which has:\n" + self._audit_text)
        return found[0] if count == 1 else found[:count]

    def _enough_records(self, event, count, **fields):
        records = read_audit(self.audit_path, event, **fields)
        return len(records) >= count and records

    @property
    def _audit_text(self):
        return self.audit_path.read_text() if self.audit_path.is_file() else "(no file)"

    def http(self, path):
        """Status code and body of a page of the HTTP address."""
        host, port = self.address("admin")
        try:
            with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=10) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self):
        code, text = self.http("/metrics")
        assert code == 200, text
        return metrics.Metrics(text)

    def metric(self, name, **labels):
        return self.metrics().value(name, **labels)

    def wait_for_metric(self, name, value, **labels):
        wait_until(lambda: self.metric(name, **labels) == value, f"{name}{labels} becomes {value}")


def run(*arguments, text_input=None, stdout=subprocess.PIPE):
    """Runs the binary to its end."""
    return subprocess.run([binary(), *arguments], input=text_input, stdout=stdout,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)


def read_audit(path, event=None, **fields):
    if not pathlib.Path(path).is_file():
        return []
    complete = pathlib.Path(path).read_text().rpartition("\n")[0]
    records = [json.loads(line) for line in complete.splitlines()]
    wanted = fields if event is None else {"event": event, **fields}
    return [record for record in records
            if all(record.get(key) == value for key, value in wanted.items())]


def _host_and_port(address):
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)
