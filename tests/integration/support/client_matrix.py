"""What the matrix of clients tries, what is known not to work there, and the table it becomes."""

import dataclasses

from support.mariadb_server import PASSWORD
from support.pam import SERVICE
from support.tables import Footnotes, aligned

MODES = ["direct", "transparent", "routed"]
TLS = ["1.2", "1.3"]


@dataclasses.dataclass(frozen=True)
class Account:
    """What the clients log in as. `refused`: with which error, where that is what must happen."""

    plugin: str
    user: str
    password: str = PASSWORD
    refused: int | None = None


# Of two plug-ins, the second one has the password: a client must follow from one to the other.
CREATE = f"""
CREATE USER either@'%' IDENTIFIED VIA ed25519 USING PASSWORD('another')
                                   OR mysql_native_password USING PASSWORD('{PASSWORD}');
CREATE USER reversed@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('another')
                                     OR ed25519 USING PASSWORD('{PASSWORD}');
CREATE USER local@'%' IDENTIFIED VIA unix_socket;
GRANT ALL ON shop.* TO either@'%', reversed@'%', local@'%';
"""
CREATE_PAM = f"""
CREATE USER pam@'%' IDENTIFIED VIA pam USING '{SERVICE}';
GRANT ALL ON shop.* TO pam@'%';
"""
NATIVE = Account("native", "native")
PAM = Account("PAM", "pam")
ACCOUNTS = [
    NATIVE,
    Account("native, wrong", "native", "wrong", refused=1045),
    Account("empty", "empty", ""),
    Account("ed25519", "ed"),
    Account("ed25519 or native", "either"),
    Account("native or ed25519", "reversed"),
    PAM,
    Account("unix_socket", "local", refused=1698),
]

_NO_ED25519 = "has no client_ed25519"
_NO_DIALOG = "has no dialog plug-in"
_ONE_SWITCH = "follows one change of plug-ins only"
_NO_CHOICE_OF_TLS = "has no option for the version of TLS, and takes the highest"

# What a client itself cannot do: (client, plug-in), the same for one mode only, or (client, version
# of TLS). `direct` proves that it is not the gateway: what has no mode here fails there as well.
LIMITS = {
    ("MySQL Connector/J", "ed25519"): _NO_ED25519,
    ("MySQL Connector/J", "ed25519 or native"): _NO_ED25519,
    ("MySQL Connector/J", "native or ed25519"): _NO_ED25519,
    ("MySQL Connector/J", "PAM"): _NO_DIALOG,
    ("Node.js mysql2", "ed25519"): _NO_ED25519,
    ("Node.js mysql2", "ed25519 or native"): _NO_ED25519,
    ("Node.js mysql2", "native or ed25519"): _NO_ED25519,
    ("Node.js mysql2", "PAM"): _NO_DIALOG,
    ("PyMySQL", "ed25519 or native"): _ONE_SWITCH,
    ("PyMySQL", "PAM"): "wants the prompt within the change to dialog, not after it",
    ("go-sql-driver", "ed25519 or native"): _ONE_SWITCH,
    ("go-sql-driver", "PAM"): _NO_DIALOG,
    ("mysql_async", "ed25519 or native"): _ONE_SWITCH,
    ("mysql_async", "PAM"): _NO_DIALOG,
    ("mysql_async", "1.2"): _NO_CHOICE_OF_TLS,
    ("PHP mysqlnd", "ed25519"): _NO_ED25519,
    ("PHP mysqlnd", "ed25519 or native"): _NO_ED25519,
    ("PHP mysqlnd", "native or ed25519"): _NO_ED25519,
    ("PHP mysqlnd", "PAM"): _NO_DIALOG,
    ("PHP mysqlnd", "1.2"): _NO_CHOICE_OF_TLS,
} | {
    # The greeting's nonce is the gateway's, so that the first plug-in takes a change already.
    (client, "native or ed25519", "routed"): f"{_ONE_SWITCH}, and the login's is the first"
    for client in ["PyMySQL", "go-sql-driver", "mysql_async"]
}


def limit(client, plugin, mode):
    """Why this cannot work; None if it must."""
    return LIMITS.get((client, plugin)) or LIMITS.get((client, plugin, mode))


class Table:
    """What came of each cell, to be read by people."""

    WORKS = "works"

    def __init__(self):
        self._cells = {}
        self._reasons = Footnotes()

    def note(self, client, mode, tls, plugin, outcome):
        """`outcome`: WORKS, or why not."""
        self._cells.setdefault((client, mode), {}).setdefault(plugin, {})[tls] = outcome

    def text(self):
        columns = [account.plugin for account in ACCOUNTS]
        rows = [["client", "login", *columns]]
        for (client, mode), cells in sorted(self._cells.items(), key=_row_order):
            rows.append([client, mode, *(self._cell(cells.get(column, {})) for column in columns)])
        lines = [*aligned(rows), "",
                 "Versions of TLS over which the client logs in and works; in the columns",
                 '"native, wrong" and "unix_socket", over which it reads the server\'s refusal.',
                 *self._reasons.lines()]
        return "\n".join(lines) + "\n"

    def _cell(self, outcomes):
        works = [tls for tls, outcome in sorted(outcomes.items()) if outcome == self.WORKS]
        reasons = []
        for _, outcome in sorted(outcomes.items()):
            if outcome != self.WORKS and outcome not in reasons:
                reasons.append(outcome)
        return " ".join(works + [self._reasons.mark(reason) for reason in reasons])


def _row_order(row):
    (client, mode), _ = row
    return client.lower(), MODES.index(mode)
