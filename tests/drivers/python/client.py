"""Logs in with one of three drivers and does some work; see ../README.md for what it is told."""

import json
import sys

from connect import CONNECT


def work(connection):
    parameter = "?" if connection.__class__.__module__.startswith("mariadb") else "%s"
    cursor = connection.cursor()

    def value(sql, arguments=()):
        cursor.execute(sql, arguments)
        return cursor.fetchone()[0]

    thread = connection.thread_id
    done = {
        "user": value("SELECT CURRENT_USER()"),
        "connection_id": int(value("SELECT CONNECTION_ID()")),
        "thread": thread() if callable(thread) else getattr(connection, "connection_id", thread),
        "prepared": int(value(f"SELECT {parameter} + 1", (41,))),
        "bytes": len(value("SELECT REPEAT('x', 1048576)")),
    }
    cursor.execute("CREATE TEMPORARY TABLE matrix (n INT) ENGINE=InnoDB")
    cursor.execute("INSERT INTO matrix VALUES (1)")
    connection.rollback()
    cursor.execute("INSERT INTO matrix VALUES (2)")
    connection.commit()
    done["kept"] = int(value("SELECT SUM(n) FROM matrix"))
    return done


def main():
    driver, host, port, authority, tls, *logins = sys.argv[1:]
    for user, password in zip(logins[::2], logins[1::2], strict=True):
        try:
            connection = CONNECT[driver](host, int(port), authority, tls, user, password)
            done = work(connection)
            connection.close()
        except Exception as failure:  # Whatever its class: the three drivers share none.
            code = getattr(failure, "errno", failure.args[0] if len(failure.args) > 1 else None)
            done = {"error": code, "message": f"{type(failure).__name__}: {failure}"}
        print(json.dumps(done), flush=True)


main()
