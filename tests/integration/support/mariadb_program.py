"""The command-line programs `mariadb` and `mariadb-dump`, as a person uses them."""

import subprocess

from support.mariadb_server import PASSWORD


def command(address, user, password=PASSWORD, authority=None, options=()):
    """Its command line; with an `authority` it verifies the certificate, else it takes any."""
    return ["mariadb", *_login(address, user, password, authority), "--batch",
            "--skip-column-names", *options]


def dump_command(address, user, database, password=PASSWORD, authority=None, options=()):
    """That of mariadb-dump, for a database with all that belongs to it."""
    return ["mariadb-dump", *_login(address, user, password, authority), "--single-transaction",
            "--routines", "--events", *options, database]


def _login(address, user, password, authority):
    host, port = address
    verify = [] if authority is None else [f"--ssl-ca={authority}", "--ssl-verify-server-cert"]
    return ["--no-defaults", f"--host={host}", f"--port={port}", f"--user={user}",
            f"--password={password}", "--protocol=tcp", *verify]


def run(address, user, sql, password=PASSWORD, authority=None, options=()):
    """The finished process; its output as bytes, because results may be."""
    data = sql if isinstance(sql, bytes) else sql.encode()
    return subprocess.run(command(address, user, password, authority, options), input=data,
                          capture_output=True, timeout=120, check=False)


def query(address, user, sql, **options):
    """What the statements print; fails the test if one of them fails."""
    done = run(address, user, sql, **options)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode().rstrip("\n")
