"""Makes a Cassandra's archive of classes, for tests/drivers/install, by running a node once.

Usage: python3 -m support.cassandra_archive VERSION FOLDER
"""

import pathlib
import sys
import tempfile

from support.cassandra_server import CassandraCluster
from support.cassandra_versions import Installation
from support.certificates import Certificates


def main():
    version, folder = sys.argv[1:]
    with (tempfile.TemporaryDirectory() as keys,
          CassandraCluster(Certificates(keys), installation=Installation(
              version, pathlib.Path(folder)), dump_classes=True) as cluster):
        cluster.nodes[0].stop()


if __name__ == "__main__":
    main()
