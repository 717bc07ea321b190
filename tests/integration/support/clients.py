"""The clients of the matrix: the programs in tests/drivers, and the `mariadb` program."""

import dataclasses
import json
import os
import shutil
import subprocess

from support import driver_cache, mariadb_program, processes
from support.gatehouse import REPOSITORY

_SOURCES = REPOSITORY / "tests" / "drivers"
DEADLINE_SECONDS = 120
WORK = """
SELECT CURRENT_USER(), CONNECTION_ID();
PREPARE add_one FROM 'SELECT ? + 1'; SET @number = 41; EXECUTE add_one USING @number;
SELECT REPEAT('x', 1048576);
CREATE TEMPORARY TABLE matrix (n INT) ENGINE=InnoDB;
BEGIN; INSERT INTO matrix VALUES (1); ROLLBACK;
BEGIN; INSERT INTO matrix VALUES (2); COMMIT;
SELECT SUM(n) FROM matrix;
"""


@dataclasses.dataclass(frozen=True)
class Client:
    """A program that does what tests/drivers/README.md says."""

    name: str
    # What tests/drivers/install calls it; None: it is a package of Debian's alone.
    kind: str | None
    command: tuple

    def missing(self):
        """Why it cannot be run here; None if it can."""
        if self.kind is not None and (reason := driver_cache.missing(self.kind, self.name)):
            return reason
        if shutil.which(self.command[0]) is None:
            return f"{self.command[0]} is not installed: {self.name}"
        return None

    def log_in(self, address, authority, tls, logins):
        """What it printed for each (user, password)."""
        done = subprocess.run(
            self._command_line(address, authority, tls, logins), env=self._environment(),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_SECONDS,
            check=False)
        results = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(results) == len(logins), f"ended too early:\n{done.stdout}{done.stderr}"
        return results

    def start(self, address, authority, tls, login):
        """A process that reads what to do from its stdin: see RunningPool."""
        return processes.start(
            self._command_line(address, authority, tls, [login]), env=self._environment(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _command_line(self, address, authority, tls, logins):
        host, port = address
        return [*self.command, host, str(port), str(authority), tls,
                *(word for login in logins for word in login)]

    @staticmethod
    def _environment():
        return os.environ | {"NODE_PATH": str(driver_cache.folder("node") / "node_modules")}


class RunningPool:
    """A pool of connections in a process of its own."""

    def __init__(self, client, address, authority, login):
        self._process = client.start(address, authority, "1.3", login)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # At the end of its input it closes what it has open.
        self._process.stdin.close()
        try:
            self._process.wait(timeout=DEADLINE_SECONDS)
        finally:
            self._process.kill()
            self._process.stdout.close()

    def fill(self):
        """The sessions of all its connections, each in use at the same time."""
        answer = self._ask("fill")
        assert "connection_ids" in answer, answer
        return answer["connection_ids"]

    def query(self):
        """Whether one statement runs, and else the error."""
        answer = self._ask("query")
        return "connection_ids" in answer, answer.get("message", "")

    def _ask(self, command):
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the pool ended instead of an answer to {command}"
        return json.loads(line)


class MariadbProgram:
    """The command-line client, which needs no program around it."""

    name = "mariadb program"

    def missing(self):
        return None if shutil.which("mariadb") else "mariadb is not installed: mariadb-client"

    def log_in(self, address, authority, tls, logins):
        return [self._log_in(address, authority, tls, *login) for login in logins]

    @staticmethod
    def _log_in(address, authority, tls, user, password):
        done = mariadb_program.run(address, user, WORK, password, authority,
                                   [f"--tls-version=TLSv{tls}", "--database=shop"])
        if done.returncode != 0:
            # ERROR 1045 (28000): Access denied …
            message = done.stderr.decode()
            return {"error": int(message.split()[1]), "message": message}
        first, prepared, text, kept = done.stdout.decode().splitlines()
        account, thread = first.split("\t")
        return {"user": account, "connection_id": int(thread), "prepared": int(prepared),
                "bytes": len(text), "kept": int(kept)}


def _python(program, *driver):
    interpreter = driver_cache.folder("python") / "venv" / "bin" / "python"
    return (str(interpreter), "-B", str(_SOURCES / "python" / program), *driver)


def _java(program, driver):
    folder = driver_cache.folder("java")
    # They live for a second: nothing is worth compiling well.
    return ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
            f"{folder}/classes:{folder}/lib/*", program, driver)


def _node(program, *driver):
    return ("node", str(_SOURCES / "node" / program), *driver)


def _go(program):
    return (str(driver_cache.folder("go") / "bin" / program),)


ALL = [
    MariadbProgram(),
    Client("Connector/C", "c", (str(driver_cache.folder("c") / "client"),)),
    Client("Connector/J", "java", _java("Client", "mariadb")),
    Client("MySQL Connector/J", "java", _java("Client", "mysql")),
    Client("Node.js mysql2", "node", _node("client.js", "mysql2")),
    Client("Node.js mariadb", "node", _node("client.js", "mariadb")),
    Client("PyMySQL", "python", _python("client.py", "pymysql")),
    Client("mysqlclient", "python", _python("client.py", "mysqlclient")),
    Client("Python mariadb", "python", _python("client.py", "mariadb")),
    Client("go-sql-driver", "go", _go("client")),
    Client("mysql_async", "rust", (str(driver_cache.folder("rust") / "client"),)),
    Client("PHP mysqlnd", None, ("php", str(_SOURCES / "php" / "client.php"))),
]

POOLS = [
    Client("HikariCP", "java", _java("Pool", "mariadb")),
    Client("SQLAlchemy", "python", _python("pool.py")),
    Client("database/sql", "go", _go("pool")),
    Client("mysql2's pool", "node", _node("pool.js")),
]
