"""`gatehouse lockdown`: one server is shut at once, whatever the files or the disk are like, and
stays shut until `gatehouse unlock`."""

import json
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from support import configuration
from support.mariadb_server import PASSWORD
from support.refusals import denied_bytes, denied_text
from support.session import ServerError, Session
from support.waiting import wait_until

BILLING = "billing"
RULES = {"orders.yaml": configuration.EVERYONE_ON_LOOPBACK,
         "billing.yaml": configuration.rule_file("loopback 127.0.0.0/8", BILLING)}


def _yaml(certificates, mariadb, names=("orders", BILLING), **changes):
    # One database behind both: what is one server to the gateway is what is being tested.
    servers = [configuration.server(certificates, [mariadb.tcp_backend], name=name)
               for name in names]
    listeners = [configuration.listener(certificates, name, servers=[name]) for name in names]
    return configuration.gateway_yaml(
        certificates, [], **({"servers": servers, "listeners": listeners} | changes))


@pytest.fixture
def gateway_with(certificates, mariadb, start_gateway):
    def start(rules=None, enter=(), **changes):
        return start_gateway(_yaml(certificates, mariadb, **changes), RULES | (rules or {}), enter)

    return start


@pytest.fixture
def gateway(gateway_with):
    return gateway_with()


def _log_in(gateway, server, source="127.0.0.1"):
    return gateway.connect(source, server).log_in("native", PASSWORD)


def _can_log_in(gateway, server):
    with gateway.connect(listener=server) as session:
        if session.receive() == denied_bytes("127.0.0.1"):
            return False
    with _log_in(gateway, server) as session:
        return session.ping()


def _locked_down(gateway):
    return {server["name"]: server["locked_down"] for server in gateway.status()["servers"]}


def _stored(gateway):
    file = gateway.folder / "state" / "lockdowns.json"
    if not file.exists():
        return []
    return [lockdown["server"] for lockdown in json.loads(file.read_text())["lockdowns"]]


class TestSessions:
    """Who is shut out, and who is not."""

    def test_exactly_the_sessions_of_that_server_end(self, gateway):
        with _log_in(gateway, "orders") as one, _log_in(gateway, "orders", "127.0.0.2") as other, \
                _log_in(gateway, BILLING) as bystander:
            assert gateway.command("lockdown", "orders") == "orders: locked down\n"
            assert _stored(gateway) == ["orders"]
            one.wait_for_end()
            other.wait_for_end()
            for closed in gateway.wait_for_audit("closed", count=2):
                assert (closed["server"], closed["close_reason"], closed["reason"]) == (
                    "orders", "revoked", "locked_down")
                assert closed["snapshot"] == 2
                assert "rule" not in closed
            assert bystander.ping()
            assert len(gateway.audit("closed")) == 2

            assert not _can_log_in(gateway, "orders")
            denied = gateway.wait_for_audit("denied")
            assert (denied["server"], denied["reason"]) == ("orders", "locked_down")
            assert _can_log_in(gateway, BILLING)
            assert bystander.ping()

    def test_they_may_come_again_when_it_is_lifted(self, gateway):
        gateway.command("lockdown", "orders")
        assert not _can_log_in(gateway, "orders")
        assert gateway.command("unlock", "orders") == "orders: unlocked\n"
        assert _stored(gateway) == []
        wait_until(lambda: _can_log_in(gateway, "orders"), "the server is open again")

    def test_a_session_that_is_not_yet_established_ends_too(self, gateway):
        with gateway.connect(listener="orders") as session:
            session.read_greeting()
            gateway.command("lockdown", "orders")
            session.wait_for_end()
        closed = gateway.wait_for_audit("closed", close_reason="revoked")
        assert closed["reason"] == "locked_down"
        assert gateway.audit("opened") == []

    def test_on_revoke_keep_spares_nobody(self, gateway_with):
        gateway = gateway_with({"orders.yaml": configuration.rule_file(
            "loopback 127.0.0.0/8", on_revoke="keep")})
        with _log_in(gateway, "orders") as session:
            gateway.command("lockdown", "orders")
            session.wait_for_end()
        gateway.wait_for_audit("closed", close_reason="revoked", reason="locked_down")

    def test_sessions_that_a_shutdown_waits_for_end_as_well(self, gateway):
        with _log_in(gateway, "orders") as session, _log_in(gateway, BILLING) as bystander:
            gateway.signal(signal.SIGTERM)
            wait_until(lambda: not gateway.status()["ready"], "it is draining")
            gateway.command("lockdown", "orders")
            session.wait_for_end()
            gateway.wait_for_audit("closed", close_reason="revoked", reason="locked_down")
            assert bystander.ping()

    def test_users_of_a_locked_server_behind_a_routed_listener_read_what_all_others_do(
            self, start_gateway, routed_yaml):
        gateway = start_gateway(routed_yaml(), configuration.ROUTED_RULES)
        with gateway.connect() as locked_out, gateway.connect() as bystander:
            locked_out.log_in("native@orders", PASSWORD)
            bystander.log_in("native@billing", PASSWORD)
            gateway.command("lockdown", "orders")
            locked_out.wait_for_end()
            refusals = {name: _refusal(gateway, name) for name in ["orders", "nowhere"]}
            assert refusals["orders"] == refusals["nowhere"]
            assert refusals["orders"].startswith(denied_text("127.0.0.1"))
            assert gateway.wait_for_audit("denied", server="orders")["reason"] == "locked_down"
            assert bystander.ping()
            with gateway.connect() as another:
                assert another.log_in("native@billing", PASSWORD).ping()
        # With both of them locked down nobody gets as far as a greeting.
        gateway.command("lockdown", "billing")
        with gateway.connect() as session:
            assert session.receive_rest() == denied_bytes("127.0.0.1")
        [denied] = [record for record in gateway.wait_for_audit(
            "denied", count=2, reason="locked_down") if "server" not in record]
        assert denied["verdict"] == "deny"


def _refusal(gateway, server):
    with gateway.connect() as session, pytest.raises(ServerError) as refused:
        session.log_in(f"native@{server}", PASSWORD)
    assert refused.value.code == 9000
    return refused.value.message


class TestLasting:
    """A lockdown ends by `unlock` and by nothing else."""

    def test_it_survives_a_kill_and_a_restart(self, gateway):
        gateway.command("lockdown", "orders")
        gateway.kill_and_start_again()
        assert not _can_log_in(gateway, "orders")
        assert _can_log_in(gateway, BILLING)
        assert _locked_down(gateway) == {"orders": True, BILLING: False}
        gateway.command("unlock", "orders")
        gateway.kill_and_start_again()
        assert _can_log_in(gateway, "orders")

    def test_it_survives_reloads(self, gateway):
        gateway.command("lockdown", "orders")
        before = gateway.generation()
        gateway.write_rules(configuration.rule_file("other 127.0.0.0/9"))
        gateway.wait_for_generation_after(before)
        assert not _can_log_in(gateway, "orders")
        assert gateway.json_command("reload")["outcome"] == "unchanged"
        assert not _can_log_in(gateway, "orders")

    def test_it_awaits_a_server_that_goes_from_the_configuration_and_comes_back(
            self, gateway, certificates, mariadb):
        gateway.command("lockdown", "orders")
        before = gateway.generation()
        (gateway.folder / "rules" / "orders.yaml").unlink()
        gateway.write_configuration(_yaml(certificates, mariadb, [BILLING]))
        before = gateway.wait_for_generation_after(before)
        assert gateway.status()["lockdowns"]["by_command"][0]["server"] == "orders"
        assert "orders" in gateway.command("status")
        gateway.write_rules(RULES["orders.yaml"])
        gateway.write_configuration(_yaml(certificates, mariadb))
        gateway.wait_for_generation_after(before)
        with Session(gateway.wait_for_listener("orders")) as session:
            assert session.receive_rest() == denied_bytes("127.0.0.1")
        assert gateway.wait_for_audit("denied")["reason"] == "locked_down"

    def test_one_of_a_server_that_is_gone_can_be_lifted(self, gateway, certificates, mariadb):
        gateway.command("lockdown", "orders")
        before = gateway.generation()
        (gateway.folder / "rules" / "orders.yaml").unlink()
        gateway.write_configuration(_yaml(certificates, mariadb, [BILLING]))
        generation = gateway.wait_for_generation_after(before)
        assert gateway.command("unlock", "orders") == "orders: unlocked\n"
        assert _stored(gateway) == []
        assert gateway.generation() == generation
        assert gateway.run_command("unlock", "orders").returncode == 2


class TestTrouble:
    """An emergency does not wait for the files to be right or the disk to have room."""

    def test_it_works_while_the_files_on_disk_are_refused(self, gateway):
        gateway.write_rules("server: orders\nip_rules: nonsense\n")
        wait_until(lambda: gateway.status()["snapshot"]["last_error"], "the file is refused")
        with _log_in(gateway, "orders") as session, _log_in(gateway, BILLING) as bystander:
            gateway.command("lockdown", "orders")
            session.wait_for_end()
            assert bystander.ping()
        status = gateway.status()["snapshot"]
        assert status["generation"] == 2
        assert status["last_error"]["diagnostics"][0]["file"] == "rules/orders.yaml"
        gateway.command("unlock", "orders")
        assert _can_log_in(gateway, "orders")

    def test_it_is_in_force_even_where_it_cannot_be_stored(self, gateway):
        state = gateway.folder / "state"
        state.write_text("in the way")
        with _log_in(gateway, "orders") as session:
            done = gateway.run_command("lockdown", "orders")
            session.wait_for_end()
        assert done.returncode == 1
        assert "orders IS locked down" in done.stderr and "restart" in done.stderr
        assert "Not a directory" in done.stderr
        assert "would not survive a restart" in gateway.log_text()
        assert gateway.wait_for_audit("admin")["result"].startswith(
            "locked down, but not on disk: ")
        assert gateway.status()["lockdowns"]["stored"] is False
        assert "the lockdowns are not on disk" in gateway.command("status")
        assert not _can_log_in(gateway, "orders")

        # It cannot be lifted either: the one on disk, if there were one, would come back.
        answer = gateway.json_command("unlock", "orders", code=1)
        assert (answer["outcome"], answer["locked_down"]) == ("failed", True)
        assert not _can_log_in(gateway, "orders")

        state.unlink()
        before = gateway.generation()
        assert gateway.command("lockdown", "orders") == "orders: was already locked down\n"
        assert gateway.generation() == before
        assert _stored(gateway) == ["orders"]
        assert gateway.status()["lockdowns"]["stored"] is True
        gateway.kill_and_start_again()
        assert not _can_log_in(gateway, "orders")

    def test_a_full_disk_loses_neither_it_nor_those_before(self, gateway_with, tmp_path):
        if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"],
                                               check=False).returncode != 0:
            pytest.skip("a small disk of its own needs root and a mount namespace")
        # The gateway's alone, so it is looked at and filled through the process.
        gateway = gateway_with(state=str(tmp_path), enter=[
            "unshare", "--mount", "sh", "-c",
            'mount -t tmpfs -o size=64k none "$0" && exec "$@"', str(tmp_path)])
        disk = pathlib.Path(f"/proc/{gateway.pid}/root{tmp_path}")
        gateway.command("lockdown", BILLING)
        with open(disk / "filler", "wb", buffering=0) as filler, pytest.raises(OSError):
            while True:
                filler.write(b"x" * 512)
        before = (disk / "lockdowns.json").read_text()
        done = gateway.run_command("lockdown", "orders")
        assert done.returncode == 1
        assert "No space left on device" in done.stderr
        assert not _can_log_in(gateway, "orders")
        assert gateway.run_command("unlock", BILLING).returncode == 1
        assert not _can_log_in(gateway, BILLING)
        assert (disk / "lockdowns.json").read_text() == before
        assert sorted(entry.name for entry in disk.iterdir()) == ["filler", "lockdowns.json"]

        (disk / "filler").unlink()
        assert gateway.command("unlock", BILLING) == "billing: unlocked\n"
        assert [lockdown["server"] for lockdown in json.loads(
            (disk / "lockdowns.json").read_text())["lockdowns"]] == ["orders"]

    @pytest.mark.parametrize("spoil", [
        lambda state: (state / "lockdowns.json").write_text('{"version":1,"lock'),
        lambda state: (state / "lockdowns.json").write_text(""),
        lambda state: (shutil.rmtree(state), state.write_text("")),
    ], ids=["cut-short", "emptied", "no-folder"])
    def test_a_gateway_that_cannot_tell_what_is_locked_down_does_not_start(
            self, prepare_gateway, certificates, mariadb, spoil):
        folder = prepare_gateway(_yaml(certificates, mariadb), RULES)
        state = folder.folder / "state"
        state.mkdir()
        spoil(state)
        done = folder.run_command("run")
        assert done.returncode == 1
        assert "state/lockdowns.json:1:1: error: cannot tell which servers are locked down" in (
            done.stderr)
        assert "hint: put the file right" in done.stderr
        assert "ready" not in done.stdout
        checked = folder.json_command("check", code=1)
        assert checked["diagnostics"][0]["file"] == "state/lockdowns.json"
        asked = folder.run_command("explain", "--server", "orders", "--from", "127.0.0.1")
        assert (asked.returncode, asked.stdout) == (1, "")
        assert "state/lockdowns.json" in asked.stderr


class TestCommands:
    """What an operator reads."""

    def test_the_answers_for_programs(self, gateway):
        locked = gateway.json_command("lockdown", "orders")
        assert locked == {"server": "orders", "outcome": "done", "locked_down": True,
                          "locked_down_by_rules": None, "generation": 2, "error": None}
        again = gateway.json_command("lockdown", "orders")
        assert again == locked | {"outcome": "unchanged"}
        unlocked = gateway.json_command("unlock", "orders")
        assert unlocked == locked | {"outcome": "done", "locked_down": False, "generation": 3}
        again = gateway.json_command("unlock", "orders")
        assert again == unlocked | {"outcome": "unchanged"}

    def test_the_answers_for_people(self, gateway):
        for command, answer in [("lockdown", "locked down"), ("lockdown", "was already locked down"),
                                ("unlock", "unlocked"),
                                ("unlock", "was not locked down by command")]:
            assert gateway.command(command, "orders") == f"orders: {answer}\n"

    def test_unlock_says_what_else_locks_a_server_down(self, gateway_with):
        gateway = gateway_with({"orders.yaml": configuration.rule_file(
            "loopback 127.0.0.0/8", locked_down="true")})
        still = "and still is locked down by rules/orders.yaml:2\n"
        assert gateway.command("unlock", "orders") == (
            f"orders: was not locked down by command, {still}")
        assert gateway.command("lockdown", "orders") == "orders: locked down\n"
        assert gateway.command("unlock", "orders") == f"orders: unlocked, {still}"
        assert gateway.json_command("unlock", "orders")["locked_down_by_rules"] == {
            "file": "rules/orders.yaml", "line": 2}
        assert not _can_log_in(gateway, "orders")

    @pytest.mark.parametrize("arguments", [["nowhere"], [""], ["orders", "billing"], []])
    @pytest.mark.parametrize("command", ["lockdown", "unlock"])
    def test_a_server_that_does_not_exist_is_wrong_usage(self, gateway, command, arguments):
        assert gateway.run_command(command, *arguments).returncode == 2
        assert _locked_down(gateway) == {"orders": False, BILLING: False}
        assert gateway.audit("admin") == []

    def test_status_says_by_whom_and_since_when(self, gateway_with):
        gateway = gateway_with({"billing.yaml": configuration.rule_file(
            "loopback 127.0.0.0/8", BILLING, locked_down="true")})
        gateway.command("lockdown", "orders")
        status = gateway.status()
        assert _locked_down(gateway) == {"orders": True, BILLING: True}
        assert [server["locked_down_by_rules"] for server in status["servers"]] == [
            None, {"file": "rules/billing.yaml", "line": 2}]
        assert status["lockdowns"]["stored"] is True
        [lockdown] = status["lockdowns"]["by_command"]
        assert (lockdown["server"], lockdown["uid"]) == ("orders", os.geteuid())
        text = gateway.command("status")
        assert f"by command of user {os.geteuid()} since {lockdown['since']}" in text
        assert "by rules/billing.yaml:2" in text

    def test_the_audit_says_who_did_what_and_names_the_snapshot(self, gateway):
        gateway.command("lockdown", "orders")
        gateway.command("unlock", "orders")
        one, other = gateway.wait_for_audit("admin", count=2)
        assert [(record["command"], record["result"]) for record in (one, other)] == [
            ("lockdown orders", "locked down"), ("unlock orders", "unlocked")]
        assert one["by"]["uid"] == os.geteuid() and one["by"]["pid"] > 0
        loaded = gateway.wait_for_audit("snapshot_loaded", count=3)
        assert [record["snapshot"] for record in loaded] == [1, 2, 3]

    def test_explain_honours_it_also_while_the_gateway_is_down(self, gateway):
        ask = ["explain", "--server", "orders", "--from", "127.0.0.1"]
        assert gateway.json_command(*ask)["verdict"] == "allow"
        gateway.command("lockdown", "orders")
        answer = gateway.json_command(*ask, code=3)
        assert (answer["verdict"], answer["reason"]) == ("deny", "locked_down")
        assert (answer["rule"], answer["nearest_miss"]) == (None, None)
        text = gateway.command(*ask, code=3)
        assert f"lockdown by command of user {os.geteuid()} since " in text
        gateway.signal(signal.SIGTERM)
        gateway.wait_for_exit()
        assert gateway.json_command(*ask, code=3)["reason"] == "locked_down"
        billing = ["explain", "--server", BILLING, "--from", "127.0.0.1"]
        assert gateway.json_command(*billing)["verdict"] == "allow"
