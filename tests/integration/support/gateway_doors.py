"""Doors of one gateway, one of each kind of listener: what goes in, and how the audit has it."""

from support import every_kind
from support.every_kind import UNGREETED, WITHIN_A_PROOF, WITHIN_A_REQUEST_FOR_TLS
from support.gatehouse import Gatehouse
from support.waiting import wait_until

ESTABLISHED = "established"


class Door:
    """`kind`: how a client of our own goes through it."""

    def __init__(self, gateway, kind):
        self.gateway = gateway
        self.kind = kind
        self.is_answered = kind.is_answered
        self.start_tls = kind.start_tls
        self.due = kind.due
        # Those whose end has one reason, whatever it is that ends them.
        self.stages = [stage for stage in kind.steps if stage not in
                       (UNGREETED, WITHIN_A_REQUEST_FOR_TLS, WITHIN_A_PROOF)] + [ESTABLISHED]

    def connect(self):
        # Counted before: its record may be there as soon as it is.
        ended_before = len(self.gateway.audit("closed"))
        connection = self.kind.connect(self.gateway, "127.0.0.1")
        connection.ended_before = ended_before
        return connection

    def reach(self, session, stage):
        if stage == ESTABLISHED:
            self.kind.log_in(session)
        else:
            self.kind.reach(session, stage)
        return session

    def works(self):
        """Whether a new session gets in, and an answer."""
        with self.connect() as session:
            return self.is_answered(self.reach(session, ESTABLISHED))

    def end_of(self, connection):
        """The record of how it ended; the only one."""
        ended = wait_until(lambda: self._ends(connection), "the audit tells how it ended")
        assert len(ended) == 1, ended
        return ended[0]

    def has_ended(self, connection):
        return bool(self._ends(connection))

    def _ends(self, connection):
        return [record for record in self.gateway.audit("closed")[connection.ended_before:]
                if record["source"]["port"] == connection.source_port]


class Doors:
    """By kind, for all of the loopback. `mariadb`, `cassandra`, `options`: as for every_kind's
    gateway_yaml."""

    def __init__(self, certificates, mariadb, cassandra, cassandra_tls="off", **options):
        self.gateway = Gatehouse(
            every_kind.gateway_yaml(certificates, mariadb, cassandra, cassandra_tls=cassandra_tls,
                                    **options),
            {"all.yaml": every_kind.rules("loopback 127.0.0.0/8")})
        self._kinds = every_kind.all_kinds(certificates)

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
        return Door(self.gateway, self._kinds[kind])
