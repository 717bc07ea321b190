"""How each driver for Python connects: always over TLS, with the server's identity verified."""

import ssl
import tempfile

TIMEOUT_SECONDS = 20  # A busy machine is no failure.


def connect_pymysql(host, port, authority, tls, user, password):
    import pymysql

    context = ssl.create_default_context(cafile=authority)
    version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[tls]
    context.minimum_version = context.maximum_version = version
    return pymysql.connect(host=host, port=port, user=user, password=password, database="shop",
                           ssl=context, connect_timeout=TIMEOUT_SECONDS,
                           read_timeout=TIMEOUT_SECONDS)


def connect_mysqlclient(host, port, authority, tls, user, password):
    import MySQLdb

    # The driver has no argument for the version of TLS; the library under it reads it from a file.
    with tempfile.NamedTemporaryFile("w", suffix=".cnf") as options:
        options.write(f"[client]\ntls-version=TLSv{tls}\n")
        options.flush()
        return MySQLdb.connect(host=host, port=port, user=user, password=password, database="shop",
                               ssl={"ca": authority}, ssl_mode="VERIFY_IDENTITY",
                               read_default_file=options.name, connect_timeout=TIMEOUT_SECONDS,
                               read_timeout=TIMEOUT_SECONDS)


def connect_mariadb(host, port, authority, tls, user, password):
    import mariadb

    return mariadb.connect(host=host, port=port, user=user, password=password, database="shop",
                           ssl_ca=authority, ssl_verify_cert=True, tls_version=f"TLSv{tls}",
                           connect_timeout=TIMEOUT_SECONDS, read_timeout=TIMEOUT_SECONDS)


CONNECT = {"pymysql": connect_pymysql, "mysqlclient": connect_mysqlclient,
           "mariadb": connect_mariadb}
