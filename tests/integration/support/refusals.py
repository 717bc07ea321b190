"""What a refused client must read, to the byte."""

from support import wire


def denied_text(address):
    return (f"Client with IP address '{address}' is not allowed to connect to this MariaDB "
            "server.")


def denied_bytes(address):
    """The one packet that a source without a rule gets, before any greeting, so without a state."""
    return wire.packet(0, wire.error_payload(9000, denied_text(address)))


TOO_MANY = wire.packet(0, wire.error_payload(1040, "Too many connections"))
TLS_REQUIRED = wire.error_payload(
    9002, "SSL connection is required. Please specify SSL options and retry.", "28000")
BAD_HANDSHAKE = wire.error_payload(1043, "Bad handshake", "08S01")
