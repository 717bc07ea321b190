"""What operators change while the gateway runs: taken whole or not at all, by every way to save."""

import pathlib
import shutil
import signal
import socket
import ssl
import time

import pytest

from support import configuration
from support.mariadb_server import PASSWORD
from support.refusals import denied_bytes
from support.waiting import wait_until

LATER = "127.0.0.88"
ALLOWING = configuration.rule_file("here 127.0.0.1\nlater 127.0.0.88")
# A host bit beyond the prefix, in the third line.
BROKEN = configuration.rule_file("here 127.0.0.1/8")


@pytest.fixture
def yaml(certificates, mariadb):
    return configuration.gateway_yaml(certificates, [mariadb.tcp_backend])


@pytest.fixture
def gateway(yaml, start_gateway):
    """Lets only 127.0.0.1 in, until a test says otherwise."""
    return start_gateway(yaml, {"orders.yaml": configuration.rule_file("here 127.0.0.1")})


def _is_allowed(gateway, source):
    with gateway.connect(source) as session:
        data = session.receive()
        return data != denied_bytes(source)


def _wait_until_allowed(gateway, source=LATER):
    wait_until(lambda: _is_allowed(gateway, source), f"{source} is let in")


def _is_watched(gateway, folder):
    """By what the kernel tells of inotify instances (proc(5))."""
    watches = [line for each in pathlib.Path(f"/proc/{gateway.pid}/fdinfo").iterdir()
               for line in each.read_text().splitlines() if line.startswith("inotify ")]
    return any(f" ino:{folder.stat().st_ino:x} " in watch for watch in watches)


class TestWaysToSave:
    """In force without a command, however the file came to be new."""

    def test_a_file_that_is_renamed_into_place(self, gateway):
        assert not _is_allowed(gateway, LATER)
        gateway.write_rules(ALLOWING)
        _wait_until_allowed(gateway)

    def test_a_file_that_is_rewritten_in_place(self, gateway):
        (gateway.folder / "rules" / "orders.yaml").write_text(ALLOWING)
        _wait_until_allowed(gateway)

    def test_a_file_that_is_added(self, gateway):
        gateway.write_rules(configuration.rule_file(f"later {LATER}"), "more.yaml")
        _wait_until_allowed(gateway)

    def test_a_list_that_a_rule_names(self, yaml, start_gateway, tmp_path):
        partners = tmp_path / "partners.netset"
        partners.write_text("127.0.0.1\n")
        gateway = start_gateway(yaml, {"orders.yaml": "server: orders\nip_rules:\n"
                                       f"  - {{name: partners, list: {partners}}}\n"})
        assert not _is_allowed(gateway, LATER)
        partners.write_text(f"127.0.0.1\n{LATER}\n")
        _wait_until_allowed(gateway)

    def test_a_folder_that_is_swapped_by_a_symbolic_link(self, yaml, start_gateway, tmp_path):
        # As Kubernetes mounts a ConfigMap: files are links into `..data`, which is a link itself.
        for name, text in (("..1", configuration.rule_file("here 127.0.0.1")), ("..2", ALLOWING)):
            (tmp_path / name).mkdir()
            (tmp_path / name / "orders.yaml").write_text(text)
        (tmp_path / "..data").symlink_to("..1")
        (tmp_path / "orders.yaml").symlink_to("..data/orders.yaml")
        gateway = start_gateway(yaml | {"rules": f"{tmp_path}/"}, {})
        assert not _is_allowed(gateway, LATER)
        (tmp_path / "..data_tmp").symlink_to("..2")
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")
        _wait_until_allowed(gateway)

    def test_a_folder_that_was_replaced_by_a_copy_of_itself(self, gateway):
        rules = gateway.folder / "rules"
        rules.rename(gateway.folder / "before")
        shutil.copytree(gateway.folder / "before", rules)
        # As nothing has changed, only this shows that it was looked at.
        wait_until(lambda: _is_watched(gateway, rules), "the new folder is watched")
        gateway.write_rules(ALLOWING)
        _wait_until_allowed(gateway)

    def test_a_rules_folder_that_is_itself_a_link(self, yaml, start_gateway, tmp_path):
        for name, text in (("old", configuration.rule_file("here 127.0.0.1")), ("new", ALLOWING)):
            (tmp_path / name).mkdir()
            (tmp_path / name / "orders.yaml").write_text(text)
        (tmp_path / "rules").symlink_to("old")
        gateway = start_gateway(yaml | {"rules": f"{tmp_path}/rules/"}, {})
        (tmp_path / "next").symlink_to("new")
        (tmp_path / "next").rename(tmp_path / "rules")
        _wait_until_allowed(gateway)


class TestCommands:
    """By hand, for those who want to see the answer."""

    def test_reload_takes_effect_before_it_returns(self, gateway):
        gateway.write_rules(ALLOWING)
        gateway.command("reload")
        assert _is_allowed(gateway, LATER)

    def test_reload_says_what_is_wrong_and_fails(self, gateway):
        gateway.write_rules(BROKEN)
        done = gateway.run_command("reload")
        assert done.returncode == 1
        assert "rules/orders.yaml:3:" in done.stdout + done.stderr

    def test_sighup_reloads(self, gateway):
        before = gateway.generation()
        gateway.write_rules(ALLOWING)
        gateway.signal(signal.SIGHUP)
        assert gateway.wait_for_generation_after(before) == before + 1
        assert _is_allowed(gateway, LATER)

    def test_a_reload_that_changes_nothing_keeps_the_generation(self, gateway):
        before = gateway.generation()
        gateway.command("reload")
        # Written anew with the same text: nothing changed either.
        gateway.write_rules(configuration.rule_file("here 127.0.0.1"))
        gateway.command("reload")
        assert gateway.generation() == before


class TestBadFiles:
    """The snapshot in force stays in force, and everything that can be asked says so."""

    def _wait_until_rejected(self, gateway):
        return wait_until(lambda: gateway.status()["snapshot"]["last_error"],
                          "the status tells of the file that cannot be loaded")

    def test_a_mistake_is_told_by_file_line_and_column_and_changes_nothing(self, gateway):
        before = gateway.generation()
        with gateway.connect() as session:
            session.log_in("native", PASSWORD)
            gateway.write_rules(BROKEN)
            error = self._wait_until_rejected(gateway)
            [diagnostic] = [each for each in error["diagnostics"] if each["severity"] == "error"]
            assert diagnostic["file"] == "rules/orders.yaml"
            assert (diagnostic["line"], diagnostic["column"] > 0) == (3, True)
            assert diagnostic["message"] and diagnostic["hint"]
            rejected = gateway.wait_for_audit("snapshot_rejected")
            assert rejected["diagnostics"][0]["line"] == 3
            assert "rules/orders.yaml:3:" in gateway.log_text()
            assert gateway.metric("gatehouse_snapshot_last_load_failed") == 1
            assert gateway.generation() == before
            assert gateway.status()["ready"] is True
            assert session.ping()
        assert _is_allowed(gateway, "127.0.0.1")
        assert not _is_allowed(gateway, LATER)

    def test_mending_the_file_clears_the_error(self, gateway):
        gateway.write_rules(BROKEN)
        self._wait_until_rejected(gateway)
        gateway.write_rules(ALLOWING)
        _wait_until_allowed(gateway)
        assert gateway.status()["snapshot"]["last_error"] is None
        assert gateway.metric("gatehouse_snapshot_last_load_failed") == 0

    def test_putting_the_old_file_back_clears_the_error_and_keeps_the_generation(self, gateway):
        before = gateway.generation()
        gateway.write_rules(BROKEN)
        self._wait_until_rejected(gateway)
        gateway.write_rules(configuration.rule_file("here 127.0.0.1"))
        wait_until(lambda: gateway.status()["snapshot"]["last_error"] is None,
                   "the status forgets the error")
        assert gateway.generation() == before

    def test_a_file_without_its_last_newline_may_be_cut_short_and_is_not_taken(self, gateway):
        gateway.write_rules(ALLOWING.rstrip("\n"))
        self._wait_until_rejected(gateway)
        assert not _is_allowed(gateway, LATER)

    def test_a_certificate_that_is_missing_keeps_the_old_one(self, gateway, yaml):
        listener = yaml["listeners"][0]
        missing = listener["tls"] | {"certificate": "none.pem"}
        gateway.write_configuration(yaml | {"listeners": [listener | {"tls": missing}]})
        error = self._wait_until_rejected(gateway)
        assert error["diagnostics"][0]["file"] == "gateway.yaml"
        with gateway.connect() as session:
            session.log_in("native", PASSWORD)


class TestListeners:
    """Addresses come and go without disturbing the others."""

    def test_a_new_listener_is_told_on_stdout_and_serves(self, gateway, certificates, yaml):
        with gateway.connect() as session:
            session.log_in("native", PASSWORD)
            first = gateway.address()
            more = configuration.listener(certificates, "second")
            gateway.write_configuration(yaml | {"listeners": [*yaml["listeners"], more]})
            second = gateway.wait_for_listener("second")
            assert second != first
            for name in (configuration.LISTENER, "second"):
                with gateway.connect(listener=name) as beside:
                    beside.log_in("native", PASSWORD)
            assert session.ping()
        names = {each["name"] for each in gateway.status()["listeners"]}
        assert names == {configuration.LISTENER, "second"}

    def test_a_listener_that_is_taken_out_accepts_nobody_any_more(self, certificates, yaml,
                                                                 start_gateway):
        two = [configuration.listener(certificates, name) for name in ("stays", "goes")]
        gateway = start_gateway(yaml | {"listeners": two})
        before = gateway.generation()
        gateway.write_configuration(yaml | {"listeners": two[:1]})
        gateway.wait_for_generation_after(before)

        def refuses():
            with socket.socket() as probe:
                return probe.connect_ex(gateway.address("goes")) != 0

        wait_until(refuses, "the port is closed")
        with gateway.connect(listener="stays") as session:
            session.read_greeting()

    def test_an_address_may_change_to_one_that_overlaps_it(self, yaml, start_gateway):
        # Begins with all addresses, and goes on binding before it lets go: at every moment the port
        # is this gateway's, so that no client of another test can be given it.
        listener = yaml["listeners"][0]
        gateway = start_gateway(yaml | {"listeners": [listener | {"address": "0.0.0.0:0"}]},
                                {"orders.yaml": configuration.rule_file("here 127.0.0.1")})
        port = gateway.port
        with gateway.connect() as session:
            session.log_in("native", PASSWORD)
            for address in (["0.0.0.0:0", f"127.0.0.1:{port}"], f"0.0.0.0:{port}",
                            f"127.0.0.1:{port}"):
                before = gateway.generation()
                gateway.write_configuration(
                    yaml | {"listeners": [listener | {"address": address}]})
                gateway.wait_for_generation_after(before)
                assert _is_allowed(gateway, "127.0.0.1")
            assert session.ping()

    def test_an_address_that_cannot_be_bound_rejects_the_whole_snapshot(self, gateway,
                                                                        certificates, yaml):
        before = gateway.generation()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            more = configuration.listener(certificates, "second") | {"address": address}
            gateway.write_configuration(yaml | {"listeners": [*yaml["listeners"], more]})
            # In the same change a rule: it must not come into force either.
            gateway.write_rules(ALLOWING)
            rejected = gateway.wait_for_audit("snapshot_rejected")
            assert rejected["diagnostics"][0]["file"] == "gateway.yaml"
            assert address in rejected["diagnostics"][0]["message"]
            gateway.run_command("reload")
            assert not _is_allowed(gateway, LATER)
            assert gateway.generation() == before
            assert gateway.status()["snapshot"]["last_error"]


def _presented(gateway, certificates):
    """The certificate that a new client is shown, as DER."""
    with gateway.connect() as session:
        session.read_greeting()
        session.start_tls(authority=certificates.authority)
        return session.certificate()


def test_a_certificate_that_is_replaced_is_shown_to_new_clients(certificates, yaml, start_gateway,
                                                               tmp_path):
    files = {"certificate": tmp_path / "gateway.pem", "key": tmp_path / "gateway.key"}

    def install(identity):
        # The pair is changed one file after the other, as every renewal does it.
        files["key"].write_text(identity.key.read_text())
        files["certificate"].write_text(identity.certificate.read_text())

    install(certificates.gateway)
    listener = configuration.listener(certificates,
                                      tls={key: str(path) for key, path in files.items()})
    gateway = start_gateway(yaml | {"listeners": [listener]})
    with gateway.connect() as session:
        session.log_in("native", PASSWORD)
        install(certificates.renewed_gateway)
        renewed = ssl.PEM_cert_to_DER_cert(certificates.renewed_gateway.certificate.read_text())
        wait_until(lambda: _presented(gateway, certificates) == renewed, "the new one is shown")
        assert session.ping()
    assert gateway.status()["snapshot"]["last_error"] is None


def test_limits_change_while_running(gateway, yaml):
    before = gateway.generation()
    gateway.write_configuration(yaml | {"limits": {"handshake_timeout": "1s"}})
    gateway.wait_for_generation_after(before)
    with gateway.connect() as session:
        session.read_greeting()
        assert session.receive_rest() == b""
    gateway.wait_for_audit("closed", close_reason="handshake_timeout")


def test_a_rule_file_that_is_empty_for_a_moment_revokes_nobody(gateway):
    rules = gateway.folder / "rules" / "orders.yaml"
    text = rules.read_text()
    with gateway.connect() as session:
        session.log_in("native", PASSWORD)
        for empty in (rules.unlink, lambda: rules.write_text("")):
            empty()
            until = time.monotonic() + 0.2
            while time.monotonic() < until:
                assert session.ping()
            gateway.write_rules(text)
            gateway.wait_for_metric("gatehouse_snapshot_last_load_failed", 0)
        assert session.ping()


def test_a_change_that_needs_a_restart_says_so(gateway, certificates, mariadb):
    before = gateway.generation()
    gateway.write_configuration(configuration.gateway_yaml(
        certificates, [mariadb.tcp_backend], workers=3))
    gateway.wait_for_generation_after(before)
    assert "a change of `workers` takes effect after a restart" in gateway.log_text()
    assert "`admin`" not in gateway.log_text()
