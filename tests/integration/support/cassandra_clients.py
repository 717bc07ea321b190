"""Cassandra's clients: the programs in tests/drivers/cassandra, and cqlsh."""

import collections
import dataclasses
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading

from support import driver_cache, processes
from support.gatehouse import REPOSITORY
from support.mariadb_server import PASSWORD

_SOURCES = REPOSITORY / "tests" / "drivers" / "cassandra"
# A driver that connects to several nodes of a busy machine tries for as long as this.
DEADLINE_SECONDS = 120


@dataclasses.dataclass(frozen=True)
class Client:
    """A program that does what tests/drivers/cassandra/README.md says."""

    name: str
    # What tests/drivers/install calls it.
    kind: str
    command: tuple
    # Versions of the protocol that it can be told to use; the first one it finds out by itself.
    versions: tuple = (5, 4, 3)
    # Whether it reads the ports of nodes; else it takes the contact point's for all.
    knows_ports: bool = True
    tells_events: bool = True

    def missing(self):
        """Why it cannot be run here; None if it can."""
        if reason := driver_cache.missing(self.kind, self.name):
            return reason
        if shutil.which(self.command[0]) is None:
            return f"{self.command[0]} is not installed: {self.name}"
        return None

    def connect(self, address, authority=None, user="app", password=PASSWORD, version=None):
        """A driver that has connected, or failed to, in a process of its own; `authority`: None
        for plaintext."""
        host, port = address
        arguments = [host, str(port), str(authority or "-"), user, password]
        arguments += [] if version is None else [str(version)]
        return RunningClient([*self.command, *arguments])


class RunningClient:
    """Its answers in order; what it says about nodes in between is kept apart, in `events`."""

    def __init__(self, command):
        environment = os.environ | {
            "NODE_PATH": str(driver_cache.folder("cassandra-node") / "node_modules")}
        self._errors = tempfile.TemporaryFile("w+")
        self._process = processes.start(command, env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self._errors, text=True)
        self._answers = queue.Queue()
        self.events = collections.deque()  # (event, address, port)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._greeting = self._next()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # At the end of its input it closes what it has open.
        try:
            self._process.stdin.close()
            self._process.wait(timeout=DEADLINE_SECONDS)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            pass
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            self._process.stdout.close()
            self._errors.close()

    @property
    def error(self):
        """What its user is shown instead of a connection; None if it has one."""
        return self._greeting.get("error")

    @property
    def seconds(self):
        """How long it took to connect, or to give up."""
        return self._greeting["seconds"]

    @property
    def version(self):
        """Of the protocol, as agreed."""
        assert self.error is None, self.error
        return self._greeting["connected"]

    def nodes(self):
        """The nodes that it knows, by host id."""
        return {node["host_id"]: node for node in self._succeed("nodes")["nodes"]}

    def query(self, cql):
        """The rows, as lists of text, and who answered."""
        answer = self._succeed(f"query {cql}")
        return answer["rows"], answer["coordinator"]

    def prepared(self, number, cql):
        answer = self._succeed(f"prepared {number} {cql}")
        return answer["rows"], answer["coordinator"]

    def paged(self, size, cql):
        """How many rows there are, how many of them differ, and in how many pages they came."""
        answer = self._succeed(f"paged {size} {cql}")
        return answer["rows"], answer["distinct"], answer["pages"]

    def batch(self, *statements):
        """Runs them together; none may hold a semicolon."""
        assert self._succeed(f"batch {'; '.join(statements)}")["statements"] == len(statements)

    def ask(self, line):
        """Its answer to one line, which may be an error."""
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._next()

    def _succeed(self, line):
        answer = self.ask(line)
        assert "error" not in answer, f"{line}: {answer['error']}"
        return answer

    def _next(self):
        answer = self._answers.get(timeout=DEADLINE_SECONDS)
        if answer is None:
            self._errors.seek(0)
            raise AssertionError(f"it ended instead of an answer:\n{self._errors.read()[-4000:]}")
        return answer

    def _read(self):
        for line in self._process.stdout:
            words = json.loads(line)
            if "event" in words:
                self.events.append((words["event"], words["address"], words["port"]))
            else:
                self._answers.put(words)
        self._answers.put(None)


class Cqlsh:
    """The command-line client, which runs some statements and ends."""

    name = "cqlsh"

    def missing(self):
        return driver_cache.missing("cassandra-python", "cqlsh")

    def run(self, address, cql, authority=None, user="app", password=PASSWORD):
        """The finished process: what it printed, and whether it could."""
        host, port = address
        # It keeps its history in its user's home, and asks for files there.
        with tempfile.TemporaryDirectory() as home:
            environment = os.environ | {"HOME": home}
            if authority is not None:
                environment |= {"SSL_CERTFILE": str(authority), "SSL_VALIDATE": "true"}
            return subprocess.run(
                [driver_cache.folder("cassandra-python") / "venv" / "bin" / "cqlsh", host,
                 str(port), "-u", user, "-p", password, "--connect-timeout=30",
                 "--request-timeout=30", *([] if authority is None else ["--ssl"]), "-e", cql],
                env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=DEADLINE_SECONDS, check=False)


def _python():
    interpreter = driver_cache.folder("cassandra-python") / "venv" / "bin" / "python"
    return (str(interpreter), "-B", str(_SOURCES / "python" / "client.py"))


def _java():
    folder = driver_cache.folder("cassandra-java")
    # They live for seconds: nothing is worth compiling well.
    return ("java", "-Xmx128M", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
            f"{folder}/classes:{folder}/lib/*", "Client")


def _go(program):
    return (str(driver_cache.folder("cassandra-go") / "bin" / program),)


PYTHON = Client("Python cassandra-driver", "cassandra-python", _python())
JAVA = Client("Java java-driver-core", "cassandra-java", _java())
NODE = Client("Node.js cassandra-driver", "cassandra-node",
              ("node", str(_SOURCES / "node" / "client.js")), versions=(4, 3), knows_ports=False)
GOCQL1 = Client("Go gocql 1", "cassandra-go", _go("gocql1"), versions=(4, 3))
GOCQL2 = Client("Go gocql 2", "cassandra-go", _go("gocql2"))
RUST = Client("Rust scylla", "cassandra-rust",
              (str(driver_cache.folder("cassandra-rust") / "client"),), versions=(4,),
              knows_ports=False, tells_events=False)

ALL = [PYTHON, JAVA, NODE, GOCQL1, GOCQL2, RUST]
CQLSH = Cqlsh()
