"""A private MariaDB as its own test suite expects to find it, and where the suite's files are."""

import pathlib
import re
import shutil

from support import mariadb_versions
from support.mariadb_server import MariaDbServer

SHARE = pathlib.Path("/usr/share/mysql")
SUITE = SHARE / "mysql-test"
TIME_ZONES = SHARE / "mysql_test_data_timezone.sql"
PACKAGES = "Debian: mariadb-test, mariadb-test-data"

# Small, Latin-1 and MyISAM by default: results in the suite's files depend on all of it.
OPTIONS = [
    "--disable-getopt-prefix-matching", "--plugin-maturity=unknown", "--local-infile",
    "--secure-file-priv=", "--character-set-server=latin1",
    "--collation-server=latin1_swedish_ci", "--connect-timeout=60", "--debug-no-sync",
    "--log-bin-trust-function-creators=1", "--key-buffer-size=1M", "--sort-buffer-size=256K",
    "--max-heap-table-size=1M", "--max-allowed-packet=32000000", "--aria-pagecache-buffer-size=8M",
    "--innodb-data-file-path=ibdata1:12M:autoextend", "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=10M", "--default-storage-engine=myisam",
    "--use-stat-tables=preferably", "--histogram-type=json_hb", "--performance-schema=ON",
]
DATABASES = """
CREATE DATABASE IF NOT EXISTS test CHARACTER SET latin1 COLLATE latin1_swedish_ci;
CREATE DATABASE mtr CHARSET=latin1;
ALTER TABLE mysql.gtid_slave_pos ENGINE=Aria TRANSACTIONAL=0;
DELETE FROM mysql.global_priv WHERE user = '';
FLUSH PRIVILEGES;
"""


def why_not_here():
    """What is missing of MariaDB or its suite; None if it can run."""
    if reason := mariadb_versions.debian().missing():
        return reason
    for program in ("mariadb-test", "mariadb-client-test", "perl"):
        if shutil.which(program) is None:
            return f"{program} is not installed ({PACKAGES})"
    for path in (SUITE / "mariadb-test-run.pl", SUITE / "main" / "1st.test",
                 SUITE / "std_data", TIME_ZONES):
        if not path.exists():
            return f"{path} does not exist ({PACKAGES})"
    return None


class SuiteServer(MariaDbServer):
    """Its folder is the suite's `vardir` too: tests load files by paths from the data folder."""

    data = "mysqld.1/data"
    install_options = [f"--extra-file={TIME_ZONES}", "--default-storage-engine=myisam",
                       "--character-set-server=latin1"]
    default_options = OPTIONS
    statements = ""

    def __init__(self, certificates, bind_address):
        identity = certificates.local_backend
        super().__init__(certificates, [f"--ssl-cert={identity.certificate}",
                                        f"--ssl-key={identity.key}"], bind_address)

    def _install(self):
        for name in ("log", "run", "mysqld.1"):
            (self.folder / name).mkdir()
        (self.folder / "std_data").symlink_to(SUITE / "std_data")
        self._environment |= {"TZ": "GMT-3"}  # What the suite's clients have.
        self._log = self.folder / "log" / "mysqld.1.err"  # Where tests look.
        super()._install()

    def _start_on_a_free_port(self):
        self._options.append(f"--tmpdir={self.folder}/tmp")
        port = super()._start_on_a_free_port()
        self.execute(DATABASES)
        for name in ("mtr_warnings", "mtr_check"):
            self.execute("USE mtr;\n" + _for_client(SUITE / "include" / f"{name}.sql"))
        return port


def _for_client(path):
    """A script of the suite's as the `mariadb` program reads it: its comments need no space, and
    its `delimiter` lines end in the delimiter in force."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("--")]
    return re.sub(r"^(delimiter )(\|\||;)(\|\||;)$", r"\1\2", "\n".join(lines), flags=re.MULTILINE)
