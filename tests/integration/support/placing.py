"""A gateway in front of a Cassandra ring, and where it shows each node."""

import copy
import random
import socket

from support import configuration
from support.cql_session import CqlSession
from support.fake_node import PASSWORD, USER
from support.waiting import wait_until

EVENTS = "events"
LISTENER = "public-cassandra"


def free_ports(count):
    """The first of so many in a row that nobody uses, and that the system gives nobody."""
    while True:
        first = random.randrange(20000, 30000)
        try:
            for port in range(first, first + count):
                socket.create_server(("127.0.0.1", port)).close()
            return first
        except OSError:
            continue


class Placing:
    """A gateway, and its nodes' places as operators see them."""

    def __init__(self, gateway, yaml):
        self.gateway = gateway
        self.yaml = yaml

    @property
    def state(self):
        return self.gateway.folder / "state" / "node-places.json"

    def listeners(self, name=LISTENER):
        return [each for each in self.gateway.status()["listeners"]
                if each["name"] == name and "node" in each]

    def places(self, name=LISTENER):
        return {each["node"]: each["address"] for each in self.listeners(name)}

    def wait_for(self, *members, name=LISTENER):
        """Until exactly these have a place; returns it for each."""
        expected = {str(member.host_id) for member in members}

        def are_there():
            places = self.places(name)
            return places.keys() == expected and all(places.values())

        wait_until(are_there, f"places of {expected}")
        places = self.places(name)
        return [places[str(member.host_id)] for member in members]

    def wait_for_trouble(self, member, text, name=LISTENER):
        def trouble():
            return [each.get("trouble", "") for each in self.listeners(name)
                    if each["node"] == str(member.host_id) and each["address"] is None]

        wait_until(lambda: any(text in each for each in trouble()), f"{text!r} in the status")

    def reload(self, **nodes):
        yaml = copy.deepcopy(self.yaml)
        yaml["listeners"][0]["nodes"] = nodes
        generation = self.gateway.generation()
        self.gateway.write_configuration(yaml)
        self.gateway.wait_for_generation_after(generation)

    def connect(self, place, source="127.0.0.1", **options):
        host, port = place.rsplit(":", 1)
        return CqlSession((host, int(port)), 5, source, **options)

    def node_at(self, place, user=(USER, PASSWORD)):
        """The id of the node that a client is led to, and those of the others with their places."""
        with self.connect(place) as session:
            session.log_in(*user)
            [local] = session.query("SELECT host_id, rpc_address, rpc_port FROM system.local")
            assert f"{local['rpc_address']}:{local['rpc_port']}" == place
            peers = session.query("SELECT host_id, native_address, native_port"
                                  " FROM system.peers_v2")
            return str(local["host_id"]), {
                str(peer["host_id"]): f"{peer['native_address']}:{peer['native_port']}"
                for peer in peers}


def assert_nobody_listens(place):
    host, port = place.rsplit(":", 1)

    def is_refused():
        try:
            socket.create_connection((host, int(port))).close()
        except ConnectionRefusedError:
            return True
        return False

    wait_until(is_refused, f"nobody listens at {place}")


def cassandra_listener(certificates, nodes, name=LISTENER, **keys):
    return configuration.listener(certificates, name, servers=[EVENTS], protocol="cassandra",
                                  tls={"required": False}, nodes=nodes, **keys)
