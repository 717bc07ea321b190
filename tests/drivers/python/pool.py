"""SQLAlchemy's pool, over PyMySQL; see ../README.md for what it is told."""

import contextlib
import functools
import json
import sys

import sqlalchemy
from connect import connect_pymysql

SIZE = 3


def thread_of(connection):
    return int(connection.scalar(sqlalchemy.text("SELECT CONNECTION_ID()")))


def fill(engine):
    with contextlib.ExitStack() as taken:
        connections = [taken.enter_context(engine.connect()) for _ in range(SIZE)]
        return [thread_of(connection) for connection in connections]


def query(engine):
    with engine.connect() as connection:
        return [thread_of(connection)]


def main():
    host, port, *rest = sys.argv[1:]
    engine = sqlalchemy.create_engine(
        "mysql+pymysql://", creator=functools.partial(connect_pymysql, host, int(port), *rest),
        pool_size=SIZE, max_overflow=0)
    for line in sys.stdin:
        try:
            answer = {"connection_ids": {"fill": fill, "query": query}[line.strip()](engine)}
        except sqlalchemy.exc.SQLAlchemyError as failure:
            answer = {"message": str(failure)}
        print(json.dumps(answer), flush=True)


main()
