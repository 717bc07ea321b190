"""Who is calling where an address is not enough: networks known by the way their traffic arrives.

Almost every source here has the same private address, whichever way it comes; what tells them apart
is the way. So a gateway that asked the wrong list on one kind of listener would let somebody in here.
"""

import contextlib

import pytest

from support import configuration, network, proxy_header
from support.mariadb_server import PASSWORD
from support.refusals import denied_bytes
from support.session import ServerError, Session
from support.waiting import wait_until

BALANCER = "127.0.0.20"
ADDRESS = network.TwoTenants.there
EMBEDDED = network.TwoTenants.embedded
AZURE, AZURE_ENDPOINT, AWS, GCP = 305419896, 7, "vpce-08d2bf15fac5001c9", 26477431

NETWORKS = [
    {"name": "listener", "matched_by": [{"listener": "vnet"}]},
    {"name": "tenant-a", "matched_by": [{"listener": "tenant-a"}]},
    {"name": "tenant-b", "matched_by": [{"listener": "tenant-b"}]},
    {"name": "azure", "matched_by": [{"listener": "cloud", "azure_link_id": AZURE}]},
    {"name": "aws", "matched_by": [{"aws_vpce_id": AWS}]},
    {"name": "gcp", "matched_by": [{"gcp_psc_connection_id": GCP}]},
    {"name": "prefix", "matched_by": [{"ipv6_prefix": "fd40:1::/96"}]},
    {"name": "endpoint", "matched_by": [{"azure_link_id": AZURE_ENDPOINT}]},
]
for each in NETWORKS:
    # Whoever comes to `vnet` does so over the loopback.
    block = "127.0.0.0/24" if each["name"] == "listener" else "10.203.0.0/24"
    each["subnets"] = [{"name": "robots", "range": block}]


def _rules(server, *kinds):
    """A rule file that lets exactly these ways in, and all addresses each."""
    lines = [f"server: {server}"]
    if "public" in kinds:
        lines += ["ip_rules:", "  - {name: private, range: 10.0.0.0/8}",
                  "  - {name: loopback, range: 127.0.0.0/8}", "  - {name: six, range: 'fd00::/8'}"]
    vnets = [kind for kind in kinds if kind not in ("public", "endpoint")]
    if vnets:
        lines += ["vnet_rules:"]
        lines += [f"  - {{name: vnet-{kind}, subnet: {kind}/robots}}" for kind in vnets]
    if "endpoint" in kinds:
        lines += ["private_endpoints:",
                  "  - {name: prod, network: endpoint, state: approved}"]
    return "\n".join(lines) + "\n"


class Arrivals:
    """The ways to a gateway in a namespace: the same ones whatever it leads to."""

    # Each way, and the kind of rule that is asked about whoever comes by it.
    KINDS = {
        "directly": "public",
        "by a header of version 1": "public",
        "by a header of version 2": "public",
        "at a listener of the network": "listener",
        "on the device of tenant a": "tenant-a",
        "on the device of tenant b": "tenant-b",
        "by an Azure link id": "azure",
        "by an AWS endpoint id": "aws",
        "by a Google connection id": "gcp",
        "from an IPv6 prefix": "prefix",
        "from an IPv6 prefix, by a header": "prefix",
        "by the link id of a private endpoint": "endpoint",
    }
    _HEADERS = {
        "by a header of version 1": proxy_header.v1(ADDRESS),
        "by a header of version 2": proxy_header.v2(ADDRESS, checksum=True),
        "by an Azure link id": proxy_header.v2(ADDRESS, proxy_header.azure(AZURE)),
        "by an AWS endpoint id": proxy_header.v2(ADDRESS, proxy_header.aws(AWS)),
        "by a Google connection id": proxy_header.v2(ADDRESS, proxy_header.gcp(GCP)),
        "from an IPv6 prefix, by a header": proxy_header.v2(EMBEDDED),
        "by the link id of a private endpoint":
            proxy_header.v2(ADDRESS, proxy_header.azure(AZURE_ENDPOINT)),
    }

    def __init__(self, certificates, tenants, mariadb):
        self._certificates, self._tenants, self._mariadb = certificates, tenants, mariadb
        self._gateway = None

    def yaml(self, servers):
        def listener(name, address, **keys):
            return configuration.listener(self._certificates, name, address=address,
                                          servers=servers, **keys)

        # Nobody else is in this namespace, so the port may be any.
        tenant = f"{self._tenants.here}:3306"
        return configuration.gateway_yaml(
            self._certificates, [],
            listeners=[
                listener("public", "127.0.0.1:0"),
                listener("public6", "[::]:0"),
                listener("vnet", "127.0.0.1:0"),
                listener("cloud", "127.0.0.1:0", proxy_protocol={"from": [BALANCER]}),
                listener("tenant-a", tenant, device=self._tenants.device_a),
                listener("tenant-b", tenant, device=self._tenants.device_b),
            ],
            servers=[configuration.server(self._certificates, [self._mariadb.unix_backend], "off",
                                          name) for name in servers],
            networks=NETWORKS)

    def lead_to(self, gateway):
        self._gateway = gateway
        return self

    def connect(self, way):
        kind = self.KINDS[way]
        if header := self._HEADERS.get(way):
            return self.connect_by(header)
        if kind.startswith("tenant"):
            with self._tenants.inside(kind):
                return Session(self._gateway.address(kind), ADDRESS)
        listener, source = {
            "public": ("public", "127.0.0.50"), "listener": ("vnet", "127.0.0.50"),
            "prefix": ("public6", EMBEDDED)}[kind]
        address = self._gateway.address(listener)
        if listener == "public6":
            address = (EMBEDDED, address[1])
        with self._tenants.inside():
            return Session(address, source)

    def connect_by(self, header):
        """Through the load balancer, which says this."""
        with self._tenants.inside():
            session = Session(self._gateway.address("cloud"), BALANCER)
        session.send(header)
        return session


@pytest.fixture
def start(certificates, mariadb, tenants, start_gateway):
    """Starts a gateway in the namespace, and gives it with the ways to it."""
    arrivals = Arrivals(certificates, tenants, mariadb)

    def start_in_namespace(rules, servers=("orders",)):
        gateway = start_gateway(arrivals.yaml(list(servers)), rules, enter=tenants.enter())
        return gateway, arrivals.lead_to(gateway)

    return start_in_namespace


def _gets_in(session, user="native"):
    with session, contextlib.suppress(ServerError):
        return session.log_in(user, PASSWORD).ping()
    return False


KINDS = list(dict.fromkeys(Arrivals.KINDS.values()))


def test_every_listener_of_one_server_asks_the_list_of_the_way_and_no_other(start):
    gateway, arrivals = start({"orders.yaml": _rules("orders", KINDS[0])})
    for ruled in KINDS:
        gateway.write_rules(_rules("orders", ruled))
        gateway.command("reload")
        let_in = {way for way in arrivals.KINDS if _gets_in(arrivals.connect(way))}
        assert let_in == {way for way, kind in arrivals.KINDS.items() if kind == ruled}, ruled


def test_with_all_other_lists_a_way_without_a_rule_is_refused(start):
    gateway, arrivals = start({"orders.yaml": ""})
    for refused in KINDS:
        gateway.write_rules(_rules("orders", *(kind for kind in KINDS if kind != refused)))
        gateway.command("reload")
        kept_out = {way for way in arrivals.KINDS if not _gets_in(arrivals.connect(way))}
        assert kept_out == {way for way, kind in arrivals.KINDS.items() if kind == refused}, refused


@pytest.mark.parametrize("way", Arrivals.KINDS)
def test_every_listener_of_several_servers_asks_the_list_of_the_way_and_no_other(start, way):
    servers = [f"by-{kind}" for kind in KINDS]
    _, arrivals = start({f"{kind}.yaml": _rules(f"by-{kind}", kind) for kind in KINDS}, servers)
    let_in = [server for server in servers
              if _gets_in(arrivals.connect(way), f"native@{server}")]
    assert let_in == [f"by-{arrivals.KINDS[way]}"]


@pytest.mark.parametrize("way", Arrivals.KINDS)
def test_the_audit_says_which_network_and_subnet(start, way):
    gateway, arrivals = start({"orders.yaml": _rules("orders", *KINDS)})
    with arrivals.connect(way) as session:
        session.log_in("native", PASSWORD)
        record = gateway.wait_for_audit("opened")
    kind = arrivals.KINDS[way]
    source, is_public = record["source"], kind == "public"
    assert source["address"] == (
        "127.0.0.50" if way in ("directly", "at a listener of the network") else ADDRESS)
    assert source.get("network") == (None if is_public else kind)
    assert source.get("subnet") == (None if is_public else "robots")
    assert record["reason"] == {"public": "ip_rule", "endpoint": "private_endpoint"}.get(
        kind, "vnet_rule")


class TestHeaderIds:
    """What the ids in a header say beyond which network it is."""

    @pytest.fixture
    def everyone(self, start):
        return start({"orders.yaml": _rules("orders", *KINDS)})

    @staticmethod
    def _refused(everyone, *values):
        gateway, arrivals = everyone
        with arrivals.connect_by(proxy_header.v2(ADDRESS, *values)) as session:
            assert session.receive_rest() == denied_bytes(ADDRESS)
        return gateway.wait_for_audit("denied")

    def test_an_id_that_no_network_names_is_not_taken_for_the_public(self, everyone):
        record = self._refused(everyone, proxy_header.azure(1))
        assert record["reason"] == "unknown_network"
        assert record["source"]["azure_link_id"] == 1

    def test_a_link_id_is_little_endian(self, everyone):
        swapped = int.from_bytes(AZURE.to_bytes(4, "little"), "big")
        assert self._refused(everyone, proxy_header.azure(swapped))["reason"] == "unknown_network"

    def test_ids_of_two_networks_are_ambiguous(self, everyone):
        record = self._refused(everyone, proxy_header.azure(AZURE), proxy_header.aws(AWS))
        assert record["reason"] == "ambiguous_network"
        assert record["source"]["aws_vpce_id"] == AWS

    def test_an_id_and_an_unknown_one_are_unknown(self, everyone):
        record = self._refused(everyone, proxy_header.azure(AZURE), proxy_header.gcp(1))
        assert record["reason"] == "unknown_network"
        assert record["source"]["gcp_psc_connection_id"] == 1

    def test_an_id_that_is_there_twice_is_ambiguous(self, everyone):
        record = self._refused(everyone, proxy_header.azure(AZURE), proxy_header.azure(AZURE))
        assert record["reason"] == "ambiguous_network"


def test_an_id_named_with_another_listener_is_unknown(certificates, mariadb, start_gateway):
    networks = [{"name": "elsewhere", "matched_by": [{"listener": "other", "azure_link_id": 7}]}]
    listeners = [configuration.listener(certificates, name, proxy_protocol={"from": [BALANCER]})
                 for name in (configuration.LISTENER, "other")]
    rules = "server: orders\nvnet_rules:\n  - {name: elsewhere, subnet: elsewhere}\n"
    gateway = start_gateway(configuration.gateway_yaml(
        certificates, [mariadb.tcp_backend], listeners=listeners, networks=networks),
        {"orders.yaml": rules})
    header = proxy_header.v2(ADDRESS, proxy_header.azure(7))
    with gateway.connect(BALANCER, "other") as session:
        session.send(header)
        assert _gets_in(session)
    with gateway.connect(BALANCER) as session:
        session.send(header)
        assert session.receive_rest() == denied_bytes(ADDRESS)
    gateway.wait_for_audit("denied", reason="unknown_network")


class TestDevices:
    """Whatever else listens, a tenant's traffic is never taken for the public's."""

    PUBLIC = _rules("orders", "public", "tenant-a")

    @pytest.fixture
    def start_with(self, certificates, mariadb, tenants, start_gateway):
        """Listeners as name, address and device; the gateway's namespace has one more address."""
        def start(*listeners, networks=NETWORKS, rules=self.PUBLIC):
            gateway = start_gateway(self._yaml(certificates, mariadb, listeners, networks),
                                    {"orders.yaml": rules}, enter=tenants.enter())
            return gateway

        return start

    @staticmethod
    def _yaml(certificates, mariadb, listeners, networks=NETWORKS):
        used = {name for name, _, _ in listeners}
        return configuration.gateway_yaml(
            certificates, [],
            listeners=[configuration.listener(certificates, name, address=address,
                                              **({"device": device} if device else {}))
                       for name, address, device in listeners],
            servers=[configuration.server(certificates, [mariadb.unix_backend], "off")],
            networks=[each for each in networks
                      if {entry.get("listener", "") for entry in each["matched_by"]} <= used])

    @staticmethod
    def _connect(tenants, address, device):
        with tenants.inside(device):
            return Session(address, tenants.there)

    @staticmethod
    def _assert_kept_out(gateway, session):
        with session:
            assert session.receive_rest() == denied_bytes(ADDRESS)
        assert gateway.wait_for_audit("denied")["reason"] == "ambiguous_network"

    def test_not_at_the_public_listeners_address(self, start_with, tenants):
        gateway = start_with(("public", "0.0.0.0:3306", None),
                             ("tenant-a", f"{tenants.here}:3307", tenants.device_a))
        with self._connect(tenants, (tenants.here, 3307), "tenant-a") as session:
            assert _gets_in(session)
        self._assert_kept_out(gateway, self._connect(tenants, (tenants.here, 3306), "tenant-a"))

    def test_not_where_the_public_listener_has_the_narrower_address(self, start_with, tenants):
        gateway = start_with(("public", f"{tenants.here}:3306", None),
                             ("tenant-a", "0.0.0.0:3306", tenants.device_a))
        self._assert_kept_out(gateway, self._connect(tenants, (tenants.here, 3306), "tenant-a"))

    def test_not_after_its_device_was_made_anew(self, start_with, tenants):
        listeners = (("public", "0.0.0.0:3306", None),
                     ("tenant-a", f"{tenants.here}:3306", tenants.device_a))
        gateway = start_with(*listeners)
        tenants.make_anew(tenants.device_a)

        def arrives():
            with self._connect(tenants, (tenants.here, 3306), "tenant-a") as session:
                return _gets_in(session)

        # By its own listener as soon as that is bound to the new device; before, not at all.
        wait_until(arrives, "the listener is bound to the new device")
        gateway.wait_for_audit("opened")
        assert {record["reason"] for record in gateway.audit("denied")} <= {"ambiguous_network"}
        assert {record["source"].get("network") for record in gateway.audit("opened")} == {
            "tenant-a"}

    def test_a_session_that_came_by_another_device_than_its_listener_now_has_ends(
            self, start_with, tenants, certificates, mariadb):
        def listeners(first, second):
            return (("tenant-a", f"{tenants.here}:3306", first),
                    ("tenant-b", f"{tenants.here}:3306", second))

        gateway = start_with(*listeners(tenants.device_b, tenants.device_a))
        with self._connect(tenants, (tenants.here, 3306), "tenant-b") as session:
            session.log_in("native", PASSWORD)
            gateway.write_configuration(self._yaml(
                certificates, mariadb, listeners(tenants.device_a, tenants.device_b)))
            session.wait_for_end()
        closed = gateway.wait_for_audit("closed", close_reason="revoked")
        assert closed["reason"] == "ambiguous_network"


def test_an_embedded_address_that_is_no_hosts_is_refused(start):
    """A database may take 127.0.0.1 for itself, and the sender chooses the low 32 bits."""
    gateway, arrivals = start({"orders.yaml": _rules("orders", *KINDS).replace("/robots", "")})
    for embedded in ("127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"):
        with arrivals.connect_by(proxy_header.v2(f"fd40:1::{embedded}")) as session:
            assert b"is not allowed to connect" in session.receive_rest()
    reasons = {record["reason"] for record in gateway.wait_for_audit("denied", count=4)}
    assert reasons == {"ambiguous_network"}


class TestPrivateEndpoints:
    @pytest.mark.parametrize("state, access, gets_in", [
        ("approved", "enabled", True),
        ("approved", "disabled", True),
        ("pending", "enabled", False),
        ("rejected", "enabled", False),
        ("rejected", "disabled", False),
    ])
    def test_only_an_approved_one_leads_in(self, start, state, access, gets_in):
        rules = _rules("orders", "public", "endpoint", "azure").replace(
            "state: approved", f"state: {state}") + f"public_network_access: {access}\n"
        gateway, arrivals = start({"orders.yaml": rules})
        assert _gets_in(arrivals.connect("by the link id of a private endpoint")) is gets_in
        if not gets_in:
            assert gateway.wait_for_audit("denied")["reason"] == "endpoint_not_approved"
        # The others: by their own rules, unless the public and the subnets are shut out.
        for way in ("directly", "by an Azure link id"):
            assert _gets_in(arrivals.connect(way)) is (access == "enabled"), way

    def test_a_session_ends_when_its_endpoint_is_approved_no_more(self, start):
        rules = _rules("orders", "endpoint", "azure")
        gateway, arrivals = start({"orders.yaml": rules})
        with arrivals.connect("by the link id of a private endpoint") as endpoint, \
                arrivals.connect("by an Azure link id") as subnet:
            endpoint.log_in("native", PASSWORD)
            subnet.log_in("native", PASSWORD)
            gateway.write_rules(rules.replace("approved", "rejected"))
            endpoint.wait_for_end()
            assert subnet.ping()
        closed = gateway.wait_for_audit("closed", close_reason="revoked")
        assert closed["reason"] == "endpoint_not_approved"
        assert closed["source"]["network"] == "endpoint"
