"""A private Cassandra of one node or several, each on a loopback address of its own.

An address for each node, not a port: the nodes themselves, and some drivers, tell nodes apart by
address alone. The addresses are those of a subnet that no other run of the tests has, so that the
ports can be Cassandra's usual ones.
"""

import contextlib
import errno
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile

from support import cassandra_versions, processes
from support.connection import Closed
from support.cql_session import CqlSession
from support.cql_wire import ServerError
from support.mariadb_server import PASSWORD
from support.waiting import wait_until

SUPERUSER = ("cassandra", "cassandra")
USER = "app"  # may do everything in the keyspace shop
TOPOLOGY_USER = "gatehouse"  # may log in, and no more
CQL_PORT = 9042
STORAGE_PORT = 7000
JMX_PORT = 7199
NODES_MAX = 8
# Java on two busy cores.
START_SECONDS = 150
NODETOOL_SECONDS = 120
DATA_CENTRE = "dc1"


class LoopbackSubnet:
    """A /24 of the loopback: a socket bound to its last address keeps other tests off it."""

    def __init__(self):
        self._claim = socket.socket()
        while True:
            self._prefix = f"127.{random.randint(64, 254)}.{random.randint(1, 254)}"
            try:
                self._claim.bind((f"{self._prefix}.254", STORAGE_PORT))
                return
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise

    def address(self, number):
        return f"{self._prefix}.{number}"

    def close(self):
        self._claim.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Node:
    """One server, with its data, which outlives its process."""

    port = CQL_PORT

    def __init__(self, cluster, number, tokens, bootstrap=False):
        self.address = cluster.subnet.address(number)
        self.tokens = tokens
        self.folder = cluster.folder / f"node{number}"
        self._cluster = cluster
        self._bootstrap = bootstrap
        self._process = None
        self.folder.mkdir()
        self._write("logback.xml", _LOGBACK)
        self._write("rackdc.properties", f"dc={DATA_CENTRE}\nrack=rack{number}\n")

    @property
    def tcp_backend(self):
        return f"{self.address}:{self.port}"

    @property
    def pid(self):
        return self._process.pid

    def start(self):
        """Begins to start; see CassandraCluster.wait_until_ready."""
        # JSON is YAML.
        self._write("cassandra.yaml", json.dumps(self._configuration(), indent=1))
        with open(self.folder / "system.log", "ab") as log:
            self._process = processes.start(self._command(), stdout=log, stderr=log)
        return self

    def stop(self):
        """In order: the other nodes and the drivers are told at once."""
        self._end(signal.SIGTERM)

    def kill(self):
        """As a crash does: the other nodes find out after seconds."""
        self._end(signal.SIGKILL)

    def start_again(self, number=None):
        """With the data it had, at the address of that number if there is one; returns when it lets
        users in."""
        if number is not None:
            self.address = self._cluster.subnet.address(number)
        self.start()
        self.wait_for_login()

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def connect(self, version=5, tls=None, **options):
        """A session that has yet to log in, over TLS where the node demands it or `tls` does."""
        tls = self._cluster.tls == "required" if tls is None else tls
        authority = self._cluster.authority if tls else None
        return CqlSession((self.address, self.port), version, authority=authority, **options)

    def query(self, cql, user=SUPERUSER):
        """The rows of one statement, as dictionaries."""
        with self.connect() as session:
            return session.log_in(*user).query(cql)

    def wait_for_login(self):

        def lets_in():
            assert self.is_running(), f"Cassandra ended:\n{self.log_text()[-4000:]}"
            return self._lets_in()

        try:
            wait_until(lets_in, f"{self.address} lets users in", START_SECONDS, poll=0.1)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self.log_text()[-4000:]}") from None

    def host_id(self):
        return str(self.query("SELECT host_id FROM system.local")[0]["host_id"])

    def nodetool(self, *arguments):
        """Runs one command of nodetool on this node; returns what it printed."""
        self._start_jmx()
        installation = self._cluster.installation
        done = subprocess.run(
            # It keeps a history in its user's home.
            [*installation.nodetool()[:-3], f"-Duser.home={self.folder}",
             *installation.nodetool()[-3:], "-h", self.address, "-p", str(JMX_PORT), *arguments],
            capture_output=True, text=True, timeout=NODETOOL_SECONDS, check=False)
        assert done.returncode == 0, f"nodetool {arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def log_text(self):
        log = self.folder / "system.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def _end(self, how):
        if self.is_running():
            os.killpg(self.pid, how)
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self._process.wait()

    def _start_jmx(self):
        """Only now, and by what comes with Java: it takes time that no other test has to pay."""
        with socket.socket() as probe:
            if probe.connect_ex((self.address, JMX_PORT)) == 0:
                return
        done = subprocess.run(
            ["jcmd", str(self.pid), "ManagementAgent.start", f"jmxremote.host={self.address}",
             f"jmxremote.port={JMX_PORT}", f"jmxremote.rmi.port={JMX_PORT}",
             "jmxremote.authenticate=false", "jmxremote.ssl=false"],
            capture_output=True, text=True, timeout=NODETOOL_SECONDS, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def _lets_in(self):
        try:
            with self.connect(timeout=10) as session:
                session.log_in(*SUPERUSER)
                return True
        except (OSError, Closed, ServerError):
            return False

    def _write(self, name, text):
        (self.folder / name).write_text(text)

    def _command(self):
        cluster = self._cluster
        properties = {
            "cassandra.config": f"file://{self.folder}/cassandra.yaml",
            "logback.configurationFile": f"file://{self.folder}/logback.xml",
            "cassandra-rackdc.properties": f"file://{self.folder}/rackdc.properties",
            "cassandra.storagedir": self.folder, "cassandra.logdir": self.folder,
            "java.io.tmpdir": self.folder, "cassandra-foreground": "yes",
            "java.net.preferIPv4Stack": "true", "java.rmi.server.hostname": self.address,
            # Each of them is a wait that only a cluster of many machines needs; but one that joins
            # gives up where its seeds do not answer within about the first.
            "cassandra.ring_delay_ms": 3000 if self._bootstrap else 100,
            "cassandra.skip_wait_for_gossip_to_settle": 0,
            # Else half of the ring's delay is all that a node has to say more than hello, and the
            # others forget for good where it is.
            "cassandra.gossip_quarantine_delay_ms": 1000 * START_SECONDS,
            # Also how long it waits after each failure: without, it keeps a processor busy.
            "cassandra.superuser_setup_delay_ms": 250,
            "cassandra.consistent.rangemovement": "false",
            "cassandra.consistent.simultaneousmoves.allow": "true",
            "cassandra.auth_bcrypt_gensalt_log2_rounds": 4,
            "cassandra.system_auth.default_rf": cluster.size,
        }
        return [*cluster.server_command(),
                *(f"-D{name}={value}" for name, value in properties.items()),
                *cluster.installation.daemon()]

    def _configuration(self):
        """The old names of settings: each version still knows them."""
        cluster = self._cluster
        seeds = ",".join(cluster.subnet.address(each + 1) for each in range(cluster.size))
        return {
            "cluster_name": "shop cluster",
            "num_tokens": len(self.tokens),
            "initial_token": ",".join(map(str, self.tokens)),
            "auto_bootstrap": self._bootstrap,
            "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
            "endpoint_snitch": "GossipingPropertyFileSnitch",
            "dynamic_snitch": False,
            "seed_provider": [{"class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                               "parameters": [{"seeds": seeds}]}],
            "listen_address": self.address,
            "rpc_address": self.address,
            "storage_port": STORAGE_PORT,
            "start_native_transport": True,
            "native_transport_port": self.port,
            "native_transport_max_threads": 16,
            "data_file_directories": [f"{self.folder}/data"],
            **{f"{name}_directory": f"{self.folder}/{name}"
               for name in ("commitlog", "saved_caches", "hints", "cdc_raw")},
            "commitlog_sync": "periodic",
            "commitlog_sync_period_in_ms": 10000,
            "commitlog_segment_size_in_mb": 8,
            "disk_failure_policy": "stop",
            "commit_failure_policy": "stop",
            "authenticator": "PasswordAuthenticator",
            "authorizer": "CassandraAuthorizer",
            "role_manager": "CassandraRoleManager",
            **{f"{name}_validity_in_ms": 500 for name in ("roles", "permissions", "credentials")},
            "client_encryption_options": cluster.client_encryption,
            "concurrent_reads": 4, "concurrent_writes": 4, "concurrent_counter_writes": 2,
            "concurrent_compactors": 1, "memtable_flush_writers": 1,
            "memtable_heap_space_in_mb": 32, "memtable_offheap_space_in_mb": 32,
            "key_cache_size_in_mb": 0, "counter_cache_size_in_mb": 0,
            "prepared_statements_cache_size_mb": 8, "file_cache_size_in_mb": 16,
            "networking_cache_size_in_mb": 16, "index_summary_capacity_in_mb": 4,
            **{f"{kind}_timeout_in_ms": 20000
               for kind in ("read_request", "range_request", "write_request", "request")},
            **cluster.settings,
        }


class CassandraCluster:
    """Nodes that have found each other, with the keyspace shop and accounts for it.

    `tls`: off, optional (one port for both) or required. `settings`: of cassandra.yaml.
    """

    def __init__(self, certificates, size=1, tls="optional", installation=None, settings=None,
                 tokens_per_node=4, dump_classes=False):
        # A short name: it is in many paths.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-cql-"))
        self.subnet = LoopbackSubnet()
        self.size = size
        self.tls = tls
        self.authority = certificates.authority
        self.installation = installation or cassandra_versions.newest()
        self.settings = settings or {}
        self.tokens_per_node = tokens_per_node
        self._dump_classes = dump_classes
        self.nodes = []
        self._number = size  # of the node that came last
        try:
            self.client_encryption = self._client_encryption(certificates)
            for number in range(size):
                tokens = _tokens(number, size, tokens_per_node)
                self.nodes.append(Node(self, number + 1, tokens).start())
            self.wait_until_ready()
            self._create()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        with contextlib.ExitStack() as ending:
            ending.callback(shutil.rmtree, self.folder, ignore_errors=True)
            ending.callback(self.subnet.close)
            for node in self.nodes:
                ending.callback(node.kill)

    def execute(self, *statements):
        """Runs statements as the superuser on the first node; returns the last one's rows."""
        with self.nodes[0].connect() as session:
            session.log_in(*SUPERUSER)
            return [session.query(statement) for statement in statements][-1]

    def wait_until_ready(self):
        """Until every running node lets users in, knows all the others, and agrees on the schema."""
        running = [node for node in self.nodes if node.is_running()] or self.nodes
        for node in running:
            node.wait_for_login()
        for node in running:
            wait_until(lambda node=node: self._is_complete(node),
                       f"{node.address} knows the cluster", START_SECONDS, poll=0.1)

    def add_node(self):
        """One that takes its part of the ring from the others; returns it once it has."""
        self._number += 1
        assert self._number <= NODES_MAX, "the certificate names no more nodes"
        # Halfway between the others' tokens.
        taken = sorted(token for node in self.nodes for token in node.tokens)
        tokens = [(low + high) // 2 for low, high in zip(taken, taken[1:])]
        tokens = tokens[:self.tokens_per_node]
        self.nodes.append(Node(self, self._number, tokens, bootstrap=True).start())
        self.wait_until_ready()
        return self.nodes[-1]

    def decommission(self, node):
        """Takes a node out of the ring for good."""
        node.nodetool("decommission", "--force")
        node.stop()
        self.nodes.remove(node)

    def server_command(self):
        return (self.installation.dumping_server() if self._dump_classes
                else self.installation.server())

    def _is_complete(self, node):
        try:
            with node.connect() as session:
                session.log_in(*SUPERUSER)
                local = session.query("SELECT schema_version FROM system.local")
                peers = session.query("SELECT host_id, tokens, native_address, schema_version"
                                      " FROM system.peers_v2")
        except (OSError, Closed, ServerError):
            return False
        return (len(peers) == len(self.nodes) - 1 and all(all(peer.values()) for peer in peers)
                and len({row["schema_version"] for row in local + peers}) == 1)

    def _create(self):
        self.execute(
            "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy',"
            " 'replication_factor': 1}",
            "CREATE TABLE shop.items (id int PRIMARY KEY, name text)",
            f"CREATE ROLE {USER} WITH PASSWORD = '{PASSWORD}' AND LOGIN = true",
            f"GRANT ALL ON KEYSPACE shop TO {USER}",
            f"CREATE ROLE {TOPOLOGY_USER} WITH PASSWORD = '{PASSWORD}' AND LOGIN = true")
        for node in self.nodes:
            wait_until(lambda node=node: self._is_complete(node), "the schema is everywhere",
                       START_SECONDS, poll=0.1)

    def _client_encryption(self, certificates):
        if self.tls == "off":
            return {"enabled": False}
        addresses = [self.subnet.address(number + 1) for number in range(NODES_MAX)]
        # PEM would not do for version 4.0.
        store = certificates.cassandra_store(self.folder, addresses, "changeit")
        return {"enabled": True, "optional": self.tls == "optional", "keystore": str(store),
                "keystore_password": "changeit", "store_type": "PKCS12",
                "require_client_auth": False}


_LOGBACK = """<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level [%thread] %date{ISO8601} %F:%L - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="out"/></root>
</configuration>
"""


def _tokens(number, size, count):
    """The node's share of the ring, spread evenly over it."""
    every = size * count
    return [(2**64 * (each * size + number)) // every - 2**63 for each in range(count)]
