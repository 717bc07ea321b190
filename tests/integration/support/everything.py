"""A database with a bit of everything and a bulk of bytes, and how two of them are compared."""

import pathlib
import subprocess

NAME = "everything"
_WIDTH = 400  # Columns of the widest table.
_VARIETY = pathlib.Path(__file__).with_name("everything.sql")
_EMPTY = f"""CREATE OR REPLACE DATABASE {NAME} CHARACTER SET utf8mb4;
             GRANT ALL ON {NAME}.* TO tls_only@'%'; USE {NAME};"""
_BLOBS_AT_ONCE = 100


def make_empty(server):
    server.execute(_EMPTY)


def fill(server, blobs, rows_of_17_mb):
    """Makes it, with so many blobs of 128 KiB, and rows that no single packet holds."""
    columns = [f"c{number} {'INT' if number % 2 else 'VARCHAR(40)'}" for number in range(_WIDTH)]
    values = [f"seq * {number}" if number % 2 else f"CONCAT('{number} of ', seq)"
              for number in range(_WIDTH)]
    server.execute(f"""{_EMPTY} SET NAMES utf8mb4;
        {_VARIETY.read_text()}
        CREATE TABLE wide ({", ".join(columns)}) ENGINE=MyISAM;
        INSERT INTO wide SELECT {", ".join(values)} FROM seq_1_to_100;
        CREATE TABLE blobs (id INT PRIMARY KEY, data MEDIUMBLOB) ENGINE=InnoDB;
        CREATE TABLE large (id INT PRIMARY KEY, data LONGBLOB) ENGINE=InnoDB""")
    for first in range(0, blobs, _BLOBS_AT_ONCE):
        last = min(first + _BLOBS_AT_ONCE, blobs) - 1
        server.execute(f"USE {NAME};" + insert_bytes("blobs", first, last, 128))
    for number in range(rows_of_17_mb):
        server.execute(f"USE {NAME};" + insert_bytes("large", number, number, 17 * 1024))


def insert_bytes(table, first, last, kib):
    """Statements that add rows (id, data) of so many bytes, none of which repeats another."""
    # RANDOM_BYTES() makes 1024 at most; what depends on the row is made anew for each.
    return f"""SET group_concat_max_len = 64 * 1024 * 1024;
        INSERT INTO {table} SELECT id.seq, (
          SELECT GROUP_CONCAT(RANDOM_BYTES(1024) SEPARATOR '') FROM seq_1_to_{kib} WHERE id.seq >= 0)
        FROM seq_{first}_to_{last} id"""


def contents(server):
    """How everything in it is defined, and the checksum of every table by its name."""
    definitions = subprocess.run(
        ["mariadb-dump", "--no-defaults", "-uroot", f"--socket={server.socket}", "--no-data",
         "--routines", "--events", "--skip-comments", NAME],
        capture_output=True, text=True, timeout=60, check=True).stdout
    tables = server.execute(f"""SELECT CONCAT('{NAME}.', table_name) FROM information_schema.tables
                                WHERE table_schema = '{NAME}' AND table_type <> 'VIEW'""")
    checksums = server.execute(f"CHECKSUM TABLE {', '.join(tables.splitlines())}")
    return definitions, dict(line.split("\t") for line in checksums.splitlines())
