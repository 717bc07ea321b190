"""Each kind of listener, and the stages of a session at which a client of our own can stop."""

from support import configuration, wire
from support import cql_wire as cql
from support.client_hello import client_hello
from support.cql_session import CqlSession
from support.fake_node import PASSWORD as NODE_PASSWORD
from support.fake_node import USER as NODE_USER
from support.gatehouse import Gatehouse
from support.mariadb_server import PASSWORD
from support.waiting import wait_until

CONNECTED = "connected"
ABOUT_TO_BEGIN_TLS = "about to begin TLS"
WITHIN_A_TLS_RECORD = "within a TLS record"
IN_TLS = "in TLS"
WITHIN_A_LOGIN = "within its login"
ASKED_FOR_A_PROOF = "asked for a proof"
ESTABLISHED = "established"

CLUSTER_RULES = configuration.rule_file("loopback 127.0.0.0/8", configuration.CLUSTER)


class Door:
    """A listener of one kind. `listener`: its name, and the kind's."""

    def __init__(self, gateway, authority, listener):
        self.gateway = gateway
        self.listener = listener
        self._authority = authority

    def end_of(self, connection):
        """The record of how it ended; the only one."""
        ended = wait_until(lambda: self._ends(connection), "the audit tells how it ended")
        assert len(ended) == 1, ended
        return ended[0]

    def _ends(self, connection):
        return [record for record in self.gateway.audit("closed")[connection.ended_before:]
                if record["source"]["port"] == connection.source_port]

    def works(self):
        """Whether a new session gets in, and an answer."""
        with self.connect() as session:
            return self.is_answered(self.reach(session, ESTABLISHED))

    def has_ended(self, connection):
        return bool(self._ends(connection))

    def connect(self):
        # Counted before: its record may be there as soon as it is.
        ended_before = len(self.gateway.audit("closed"))
        connection = self._connect()
        connection.ended_before = ended_before
        return connection


class MariadbDoor(Door):
    """`suffix`: what names the server behind a user."""

    stages = [CONNECTED, ABOUT_TO_BEGIN_TLS, WITHIN_A_TLS_RECORD, IN_TLS, WITHIN_A_LOGIN,
              ASKED_FOR_A_PROOF, ESTABLISHED]

    def __init__(self, gateway, authority, listener, suffix=""):
        super().__init__(gateway, authority, listener)
        self._suffix = suffix

    def _connect(self):
        return self.gateway.connect(listener=self.listener)

    def reach(self, session, stage):
        session.read_greeting()
        match stage:
            case "about to begin TLS":
                session.send(wire.ssl_request())
            case "within a TLS record":
                session.send(wire.ssl_request() + client_hello()[:20])
            case "in TLS":
                session.start_tls()
            case "within its login":
                session.start_tls()
                session.send(self._login()[:25])
            case "asked for a proof":
                session.start_tls()
                session.send_login(f"ed{self._suffix}", PASSWORD)
                assert session.receive_packet().startswith(b"\xfeclient_ed25519\0")
            case "established":
                session.start_tls()
                session.send_login(f"native{self._suffix}", PASSWORD)
                session.finish_login(PASSWORD)
        return session

    def due(self, session, stage):
        """What an honest client says next; enough of it to be dripped for a while."""
        return {CONNECTED: wire.ssl_request, ABOUT_TO_BEGIN_TLS: client_hello,
                WITHIN_A_TLS_RECORD: lambda: client_hello()[20:], IN_TLS: self._login,
                WITHIN_A_LOGIN: lambda: self._login()[25:],
                ASKED_FOR_A_PROOF: lambda: wire.packet(session.sequence, bytes(64))}[stage]()

    def _login(self):
        return wire.packet(2, wire.login_payload(f"native{self._suffix}", b"x" * 20))

    def start_tls(self, session, **options):
        session.read_greeting()
        session.start_tls(self._authority, **options)

    @staticmethod
    def is_answered(session):
        return session.ping()


class CassandraDoor(Door):
    """Before a FakeNode."""

    stages = [CONNECTED, WITHIN_A_TLS_RECORD, IN_TLS, WITHIN_A_LOGIN, ASKED_FOR_A_PROOF,
              ESTABLISHED]

    def _connect(self):
        return CqlSession(self.gateway.address(self.listener), 4)

    def reach(self, session, stage):
        match stage:
            case "within a TLS record":
                session.send(client_hello()[:20])
            case "in TLS":
                self.start_tls(session)
            case "within its login":
                self.start_tls(session)
                session.send(self._login()[:15])
            case "asked for a proof":
                self.start_tls(session)
                assert session.startup().opcode == cql.AUTHENTICATE
            case "established":
                self.start_tls(session)
                session.log_in(NODE_USER, NODE_PASSWORD)
        return session

    def due(self, _, stage):
        return {CONNECTED: client_hello, WITHIN_A_TLS_RECORD: lambda: client_hello()[20:],
                IN_TLS: self._login, WITHIN_A_LOGIN: lambda: self._login()[15:],
                ASKED_FOR_A_PROOF: self._proof}[stage]()

    @staticmethod
    def _login():
        options = {"CQL_VERSION": "3.0.0", "DRIVER_NAME": "our own"}
        return cql.Frame(4, cql.STARTUP, cql.string_map(options), 1).encode()

    @staticmethod
    def _proof():
        token = cql.value(f"\0{NODE_USER}\0{NODE_PASSWORD}".encode())
        return cql.Frame(4, cql.AUTH_RESPONSE, token, 1).encode()

    def start_tls(self, session, **options):
        session.start_tls(self._authority, options.pop("server_name", "gateway.test"), **options)

    @staticmethod
    def is_answered(session):
        return session.options() is not None


TRANSPARENT, ROUTED, CASSANDRA = KINDS = ["transparent", "routed", "cassandra"]
EVERYWHERE = [(kind, stage) for kind in KINDS
              for stage in (CassandraDoor if kind == CASSANDRA else MariadbDoor).stages]


class Doors:
    """One gateway with a listener of each kind, for all of the loopback. `mariadb`, `cassandra`:
    the backends, and how the gateway makes sure of them."""

    def __init__(self, certificates, mariadb, cassandra, mariadb_tls="verify",
                 cassandra_tls="off", server_keys=None, **changes):
        self.yaml = yaml_of(certificates, mariadb, cassandra, mariadb_tls, cassandra_tls,
                            server_keys, **changes)
        self.gateway = Gatehouse(self.yaml, {"orders.yaml": configuration.EVERYONE_ON_LOOPBACK,
                                             "events.yaml": CLUSTER_RULES})
        self._authority = certificates.authority

    def __enter__(self):
        try:
            self.gateway.start()
        except BaseException:
            self.gateway.destroy()
            raise
        return self

    def __exit__(self, *_):
        self.gateway.stop()

    def __getitem__(self, kind):
        if kind == CASSANDRA:
            return CassandraDoor(self.gateway, self._authority, kind)
        return MariadbDoor(self.gateway, self._authority, kind,
                           "@orders" if kind == ROUTED else "")


def yaml_of(certificates, mariadb, cassandra, mariadb_tls="verify", cassandra_tls="off",
            server_keys=None, listener_tls=None, **changes):
    """The configuration of `Doors`; `listener_tls` and `server_keys` are added to all of them."""
    yaml = configuration.cassandra_yaml(
        certificates, {"mode": "single"}, [cassandra], {"name": CASSANDRA, "tls": listener_tls},
        server_keys, **changes)
    [cluster] = yaml["servers"]
    if cassandra_tls == "off":
        cluster["tls"] = {"mode": "off"}
    elif cassandra_tls == "verify":
        cluster["tls"]["name"] = configuration.BACKEND_NAME
    yaml["servers"].append(configuration.server(certificates, [mariadb], mariadb_tls,
                                                **(server_keys or {})))
    yaml["listeners"] += [configuration.listener(certificates, kind, login=kind, tls=listener_tls)
                          for kind in (TRANSPARENT, ROUTED)]
    return yaml
