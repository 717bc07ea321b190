"""Addresses of parties on this machine."""

import socket


def as_text(address):
    """As configurations have it."""
    host, port = address
    return f"{host}:{port}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
