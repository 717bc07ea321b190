"""`gatehouse import azure`: what the command line printed on Azure, as rules that load here."""

import json

import pytest

from support import configuration
from support.gatehouse import run

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/shop"


def _firewall_rule(name, first, last, server="orders"):
    """As `az mariadb server firewall-rule list` prints one."""
    return {
        "endIpAddress": last,
        "id": f"{SUBSCRIPTION}/providers/Microsoft.DBforMariaDB/servers/{server}"
              f"/firewallRules/{name}",
        "name": name,
        "resourceGroup": "shop",
        "startIpAddress": first,
        "type": "Microsoft.DBforMariaDB/servers/firewallRules"}


def _vnet_rule(name, network, subnet):
    """As `az mariadb server vnet-rule list` prints one."""
    return {
        "id": f"{SUBSCRIPTION}/providers/Microsoft.DBforMariaDB/servers/orders"
              f"/virtualNetworkRules/{name}",
        "ignoreMissingVnetServiceEndpoint": False,
        "name": name,
        "resourceGroup": "shop",
        "state": "Ready",
        "type": "Microsoft.DBforMariaDB/servers/virtualNetworkRules",
        "virtualNetworkSubnetId": f"{SUBSCRIPTION}/providers/Microsoft.Network/virtualNetworks"
                                  f"/{network}/subnets/{subnet}"}


LIST = [_firewall_rule("office", "127.0.0.0", "127.0.0.63"),
        _firewall_rule("AllowAllWindowsAzureIps", "0.0.0.0", "0.0.0.0"),
        _vnet_rule("robots", "Factory", "Robots")]


@pytest.fixture
def printed(tmp_path):
    """Writes a file as if Azure's command line had printed `elements`."""
    def write(elements):
        path = tmp_path / "list.json"
        path.write_text(json.dumps(elements, indent=2) + "\n")
        return str(path)
    return write


def test_what_was_imported_loads_and_decides_the_same(certificates, prepare_gateway, printed):
    done = run("import", "azure", printed(LIST))
    assert done.returncode == 0, done.stderr
    prepared = prepare_gateway(configuration.gateway_yaml(certificates, ["127.0.0.1:9"]),
                               {"orders.yaml": done.stdout})
    prepared.command("check")
    for source, code, rule in [("127.0.0.63", 0, "office"), ("127.0.0.64", 3, None),
                               ("13.69.105.208", 3, None)]:
        answer = prepared.json_command("explain", "--server", "orders", "--from", source, code=code)
        assert (answer["rule"] or {}).get("name") == rule


def test_remarks_and_a_summary_go_to_stderr(printed):
    path = printed(LIST)
    lines = run("import", "azure", path).stderr.splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    assert any("AllowAllWindowsAzureIps" in line and "other customers" in line for line in lines)
    assert any("matched_by" in line for line in lines)
    assert lines[-1] == f"{path}: server orders: rules imported: 1, left as comments: 2"


def test_the_list_may_come_from_a_pipe_and_the_server_from_an_option():
    done = run("import", "azure", "-", "--server", "billing", text_input=json.dumps(LIST))
    assert done.returncode == 0, done.stderr
    assert '\nserver: "billing"\n' in done.stdout
    assert done.stderr.startswith("standard input: ")


@pytest.mark.parametrize("text, error", [
    ("", "is not JSON"),
    ("Name  StartIpAddress\n", "is not JSON"),
    ("[]", "give --server NAME"),
    (json.dumps(LIST + [_firewall_rule("a", "10.0.0.1", "10.0.0.1", "billing")]),
     'several servers, "billing", "orders"'),
    (json.dumps(LIST + [_firewall_rule("a", "10.0.0.9", "10.0.0.1")]),
     'element 4, "a": starts after it ends'),
    (json.dumps(LIST + [_firewall_rule("a", "::1", "::1")]), 'element 4, "a": '),
    (json.dumps(LIST + [7]), "element 4: is a number")])
def test_what_is_wrong_is_told_and_nothing_is_printed(text, error):
    done = run("import", "azure", "-", text_input=text)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("standard input: error: ")
    assert error in done.stderr


def test_a_file_that_cannot_be_read_fails(tmp_path):
    for path in (tmp_path, tmp_path / "missing.json"):
        done = run("import", "azure", str(path))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"{path}: error: cannot be read: ")


def test_a_file_beyond_the_bound_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "large.json"
    with open(path, "wb") as file:
        file.truncate((64 << 20) + 1)
    done = run("import", "azure", str(path))
    assert (done.returncode, done.stderr) == (1, f"{path}: error: is larger than 64 MiB\n")


def test_a_rule_file_that_cannot_be_written_whole_is_a_failure(printed):
    with open("/dev/full", "w", encoding="ascii") as full:
        assert run("import", "azure", printed(LIST), stdout=full).returncode == 1


@pytest.mark.parametrize("arguments", [
    ["import"], ["import", "azure"], ["import", "elsewhere", "-"],
    ["import", "azure", "-", "--server", "Not_A_Name"]])
def test_wrong_usage_exits_with_2(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
