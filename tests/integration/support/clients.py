"""The clients of the matrix: the programs in tests/drivers, and the `mariadb` program."""

import dataclasses
import json
import os
import shutil
import subprocess

from support import driver_cache, mariadb_program
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
    # Why it may be missing although its toolchain is there.
    hint: str = ""

    def missing(self):
        """Why it cannot be run here; None if it can."""
        if self.kind is not None and (reason := driver_cache.missing(self.kind, self.name)):
            return reason + self.hint
        if shutil.which(self.command[0]) is None:
            return f"{self.command[0]} is not installed: {self.name}"
        return None

    def log_in(self, address, authority, tls, logins):
        """What it printed for each (user, password)."""
        host, port = address
        done = subprocess.run(
            [*self.command, host, str(port), str(authority), tls,
             *(word for login in logins for word in login)],
            env=os.environ | {"NODE_PATH": str(driver_cache.folder("node") / "node_modules")},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_SECONDS,
            check=False)
        results = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(results) == len(logins), f"ended too early:\n{done.stdout}{done.stderr}"
        return results


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


def _python(driver):
    interpreter = driver_cache.folder("python") / "venv" / "bin" / "python"
    return (str(interpreter), "-B", str(_SOURCES / "python" / "client.py"), driver)


def _java(driver):
    folder = driver_cache.folder("java")
    # They live for a second: nothing is worth compiling well.
    return ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-cp",
            f"{folder}/classes:{folder}/lib/*", "Client", driver)


def _node(driver):
    return ("node", str(_SOURCES / "node" / "client.js"), driver)


ALL = [
    MariadbProgram(),
    Client("Connector/C", "c", (str(driver_cache.folder("c") / "client"),)),
    Client("Connector/J", "java", _java("mariadb")),
    Client("MySQL Connector/J", "java", _java("mysql")),
    Client("Node.js mysql2", "node", _node("mysql2")),
    Client("Node.js mariadb", "node", _node("mariadb")),
    Client("PyMySQL", "python", _python("pymysql")),
    Client("mysqlclient", "python", _python("mysqlclient")),
    Client("Python mariadb", "python", _python("mariadb")),
    Client("go-sql-driver", "go", (str(driver_cache.folder("go") / "bin" / "client"),)),
    Client("mysql_async", "rust", (str(driver_cache.folder("rust") / "client"),),
           "; it takes minutes to compile: tests/drivers/install --full"),
    Client("PHP mysqlnd", None, ("php", str(_SOURCES / "php" / "client.php"))),
]
