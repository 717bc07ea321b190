"""gateway.yaml and rule files for tests: the usual ones, which each test changes."""

import copy
import json

SERVER = "orders"
CLUSTER = "events"
LISTENER = "public-databases"  # too long for a string to hold without memory of its own
BACKEND_NAME = "db.internal"


def gateway_yaml(certificates, backends, backend_tls="verify", **changes):
    """A configuration with one listener and one server; `changes` replace whole top-level keys."""
    configuration = {
        "version": 1,
        "name": "gw-test",
        "listeners": [listener(certificates)],
        "servers": [server(certificates, backends, backend_tls)],
        "rules": "rules/",
        "audit": {"file": "audit.jsonl"},
        "admin": {"socket": "admin.sock", "http": "127.0.0.1:0"},
    }
    configuration.update(copy.deepcopy(changes))
    return configuration


def listener(certificates, name=LISTENER, tls=None, **keys):
    identity = {"certificate": str(certificates.gateway.certificate),
                "key": str(certificates.gateway.key)}
    return {"name": name, "protocol": "mariadb", "address": "127.0.0.1:0", "servers": [SERVER],
            "tls": identity | (tls or {}), **keys}


def server(certificates, backends, backend_tls="verify", name=SERVER, **keys):
    return {"name": name, "protocol": "mariadb", "backends": list(backends),
            "tls": _backend_tls(certificates, backend_tls), **keys}


def cassandra_yaml(certificates, nodes, backends, listener_keys=None, server_keys=None, account=None,
                   **changes):
    """The same in front of one cluster, whose nodes' certificates are verified; `nodes`: how they
    are shown; `account`: by which the ring is learned, a user and the file of his password."""
    entry = listener(certificates, servers=[CLUSTER], protocol="cassandra", nodes=nodes,
                     **(listener_keys or {}))
    cluster = {"name": CLUSTER, "protocol": "cassandra", "backends": list(backends),
               "tls": {"mode": "verify", "ca": str(certificates.authority)}, **(server_keys or {})}
    if account is not None:
        user, password_file = account
        cluster["topology"] = {"user": user, "password_file": str(password_file)}
    return gateway_yaml(certificates, [], listeners=[entry], servers=[cluster], **changes)


def _backend_tls(certificates, mode):
    if mode == "verify":
        return {"mode": mode, "ca": str(certificates.authority), "name": BACKEND_NAME}
    if mode == "pin":
        return {"mode": mode, "sha256": certificates.backend.sha256()}
    return {"mode": mode}


def write(configuration):
    """As text. JSON is YAML, so the tests need no library to write it."""
    return json.dumps(configuration, indent=2) + "\n"


def rule_file(ip_rules="", server_name=SERVER, **scalars):
    """A rule file that lets these ranges in: `name range` a line, more keys after a comma."""
    lines = [f"server: {server_name}"]
    lines += [f"{key}: {value}" for key, value in scalars.items()]
    if ip_rules:
        lines.append("ip_rules:")
        lines += rule_lines(ip_rules)
    return "\n".join(lines) + "\n"


def rule_lines(rules):
    """YAML list entries of `name range[, key: value…]` lines."""
    lines = []
    for rule in rules.strip().splitlines():
        name, rest = rule.strip().split(" ", 1)
        lines.append(f"  - {{name: {name}, range: {rest}}}")
    return lines


EVERYONE_ON_LOOPBACK = rule_file("loopback 127.0.0.0/8")
# For the routed listener's two servers.
ROUTED_RULES = {
    "orders.yaml": rule_file("loopback 127.0.0.0/8", "orders"),
    "billing.yaml": rule_file("loopback 127.0.0.0/16", "billing"),
}
