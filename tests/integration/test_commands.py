"""The command line: exit codes, what goes to stdout, and the JSON that programs rely on."""

import datetime
import json
import os
import pty
import re
import resource

import pytest

from support import configuration
from support.fake_backend import FakeBackend
from support.fake_node import FakeNode
from support.gatehouse import run
from support.mariadb_server import PASSWORD

OFFICE = configuration.rule_file(
    "office 127.0.0.0/26\nold 127.0.1.0/24, expires: 2020-01-01T00:00:00Z")


@pytest.fixture
def folder(certificates, prepare_gateway):
    """Configuration and rules of a gateway that does not run."""
    return prepare_gateway(configuration.gateway_yaml(certificates, ["127.0.0.1:9"]),
                           {"orders.yaml": OFFICE})


COMMANDS = ["run", "check", "explain", "diff", "import azure", "rules", "status", "sessions", "close",
            "reload", "lockdown", "unlock", "unblock"]


class TestUsage:
    """2 is for what was asked wrongly."""

    @pytest.mark.parametrize("arguments", [[], ["nonsense"], ["run"], ["check", "--nonsense"],
                                           ["explain", "--config", "x.yaml"]])
    def test_wrong_usage_exits_with_2(self, arguments):
        done = run(*arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr

    def test_help_and_version_go_to_stdout(self):
        assert "explain" in run("--help").stdout
        version = run("--version")
        # With the TLS library: of one that is a part of the program nothing else tells the version.
        assert version.returncode == 0
        assert re.fullmatch(r"gatehouse [\d.]+, (OpenSSL|AWS-LC) \d+\.\d+\.\d+.*\n", version.stdout)

    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_has_its_help(self, command):
        done = run(*command.split(), "--help")
        assert done.returncode == 0 and done.stderr == ""
        assert f"Usage: gatehouse {command} " in done.stdout
        assert command.split()[0] in run("--help").stdout

    @pytest.mark.parametrize("arguments", [
        ["--server", "nowhere", "--from", "127.0.0.1"],
        ["--server", "orders", "--from", "127.0.0.1", "--listener", "nowhere"],
        ["--server", "orders", "--from", "everywhere"],
        ["--server", "orders", "--from", "127.0.0.1", "--at", "tomorrow"]])
    def test_explaining_what_does_not_exist_is_wrong_usage(self, folder, arguments):
        done = folder.run_command("explain", *arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert arguments[-1] in done.stderr or "nowhere" in done.stderr

    def test_colours_are_for_terminals(self, folder):
        command = ["explain", "--config", str(folder.yaml_path), "--server", "orders", "--from",
                   "127.0.0.1"]
        ours, theirs = pty.openpty()
        try:
            assert run(*command, stdout=theirs).returncode == 0
            on_terminal = os.read(ours, 65536).decode()
        finally:
            os.close(ours)
            os.close(theirs)
        assert "\033[" in on_terminal
        assert "\033[" not in run(*command).stdout

    def test_without_a_running_gateway_a_command_fails_with_1(self, folder):
        done = folder.run_command("status")
        assert done.returncode == 1
        assert "admin.sock" in done.stderr


class TestCheck:
    """Everything that is wrong, in one run, on stdout."""

    def test_a_good_configuration_exits_with_0(self, folder):
        folder.command("check")

    def test_every_mistake_of_every_file_is_told_with_its_place(self, folder):
        folder.write_rules("server: orders\nip_rules:\n  - {name: a, range: 127.0.0.1/8}\n"
                           "  - {name: a, range: 10.0.0.0/8, colour: red}\n")
        folder.write_rules("server: nowhere\n", "other.yaml")
        output = folder.command("check", code=1)
        assert "rules/orders.yaml:3:" in output
        assert "rules/orders.yaml:4:" in output
        assert "rules/other.yaml:1:" in output
        assert "error:" in output and "hint:" in output

    def test_lint_is_shown_but_is_no_failure(self, folder):
        assert "expired" in folder.command("check")

    def test_every_kind_of_doubtful_rule_is_shown(self, folder):
        now = datetime.datetime.now(datetime.timezone.utc)
        soon, later = [(now + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
                       for days in (13, 15)]
        folder.write_rules(configuration.rule_file(
            "broad 0.0.0.0/0\ncovered 10.0.0.0/8\ndenied 192.0.2.1\ntwin 0.0.0.0/0\n"
            f"old 2001:db8::1, expires: 2020-01-01T00:00:00Z\nsoon 2001:db8::2, expires: {soon}\n"
            f"later 2001:db8::3, expires: {later}\n"
            "left 2001:db8::10-2001:db8::19\nright 2001:db8::15-2001:db8::1f")
            + "deny_rules:\n  - {name: bad, range: 192.0.2.0/24}\n")
        shown = folder.json_command("check")["diagnostics"]
        found = [(each["line"], each["message"].partition(" of server orders ")[2])
                 for each in shown]
        assert found == [
            (3, "lets in every IPv4 address"),
            (4, "adds nothing: rule broad covers it"),
            (5, "lets nobody in: deny rule bad covers it"),
            (6, "lets in every IPv4 address"),
            (6, "says the same as rule broad"),
            (7, "expired at 2020-01-01T00:00:00Z"),
            (8, f"expires at {soon}"),
            (11, "overlaps rule left in 2001:db8::15-2001:db8::19")]

    def test_findings_are_json_where_a_program_reads_them(self, folder):
        folder.write_rules("server: orders\ncolour: red\n")
        checked = folder.json_command("check", code=1)
        assert checked["ok"] is False
        [finding] = [each for each in checked["diagnostics"] if each["severity"] == "error"]
        assert set(finding) == {"file", "line", "column", "severity", "message", "hint"}
        assert (finding["file"], finding["line"], finding["column"]) == ("rules/orders.yaml", 2, 1)

    def test_run_refuses_what_check_refuses(self, folder):
        folder.write_rules("server: orders\ncolour: red\n")
        done = folder.run_command("run")
        assert done.returncode == 1
        assert "rules/orders.yaml:2:1: error:" in done.stderr
        assert "ready" not in done.stdout

    def test_connect_tries_each_backend(self, certificates, prepare_gateway, mariadb):
        good = configuration.gateway_yaml(certificates, [mariadb.tcp_backend])
        assert mariadb.tcp_backend in prepare_gateway(good).command("check", "--connect")

        def without_tls(connection):
            connection.send_greeting(tls=False)
            connection.stall()

        with FakeBackend(without_tls) as untrusted:
            bad = configuration.gateway_yaml(certificates,
                                             [mariadb.tcp_backend, untrusted.tcp_backend])
            output = prepare_gateway(bad).command("check", "--connect", code=1)
            assert untrusted.tcp_backend in output

    @pytest.mark.parametrize("identity", ["misnamed_backend", "stranger_backend"])
    def test_connect_judges_a_backends_certificate(self, certificates, prepare_gateway, identity):
        def show(connection):
            connection.send_greeting()
            connection.start_tls(getattr(certificates, identity))
            connection.stall()

        with FakeBackend(show) as untrusted:
            yaml = configuration.gateway_yaml(certificates, [untrusted.tcp_backend])
            checked = prepare_gateway(yaml).json_command("check", "--connect", code=1)
        [tried] = checked["backends"]
        assert tried["good"] is False
        assert tried["text"].startswith("TLS failed: ")

    def test_connect_tries_the_proxy_header(self, certificates, prepare_gateway, mariadb,
                                            proxied_mariadb):
        def checked(database, code):
            server = configuration.server(certificates, [database.tcp_backend],
                                          send_proxy_protocol=True)
            yaml = configuration.gateway_yaml(certificates, [], servers=[server])
            return prepare_gateway(yaml).json_command("check", "--connect", code=code)["backends"]

        [expected], [unexpected] = checked(proxied_mariadb, 0), checked(mariadb, 1)
        assert expected["good"] is True
        assert unexpected["good"] is False

    def test_connect_tries_the_nodes_of_a_cluster(self, certificates, prepare_gateway, closed_port):
        def checked(backends, code):
            yaml = configuration.cassandra_yaml(certificates, {"mode": "single"}, backends)
            prepared = prepare_gateway(yaml, {"events.yaml": "server: events\n"})
            return prepared.json_command("check", "--connect", code=code)["backends"]

        with FakeNode(certificates.for_addresses(["127.0.0.1"])) as node, \
                FakeNode(certificates.stranger_backend) as stranger:
            assert [each["good"] for each in checked([node.tcp_backend], 0)] == [True]
            tried = checked([node.tcp_backend, stranger.tcp_backend, closed_port], 1)
        assert [each["good"] for each in tried] == [True, False, False]
        assert tried[1]["text"].startswith("TLS failed: ")

    def test_connect_leaves_no_broken_handshakes_behind(self, certificates, prepare_gateway,
                                                        mariadb):
        prepared = prepare_gateway(
            configuration.gateway_yaml(certificates, [mariadb.tcp_backend]))
        prepared.command("check", "--connect")
        assert "Got an error reading communication packets" not in mariadb.log_text()


class TestExplain:
    """What would happen, and why: the very function that decides."""

    def _explain(self, folder, source, code, *more):
        return folder.json_command("explain", "--server", "orders", "--from", source, *more,
                                   code=code)

    def test_an_allowed_source_has_a_rule_with_its_place(self, folder):
        answer = self._explain(folder, "127.0.0.5", 0)
        assert answer["server"] == "orders"
        assert answer["source"]["address"] == "127.0.0.5"
        assert (answer["verdict"], answer["reason"]) == ("allow", "ip_rule")
        assert answer["rule"] == {"name": "office", "file": "rules/orders.yaml", "line": 3}
        assert answer["nearest_miss"] is None

    def test_a_denied_source_exits_with_3_and_shows_the_nearest_miss(self, folder):
        answer = self._explain(folder, "127.0.0.64", 3)
        assert (answer["verdict"], answer["reason"]) == ("deny", "no_matching_rule")
        assert answer["rule"] is None
        assert answer["nearest_miss"]["rule"]["name"] == "office"
        assert answer["nearest_miss"]["why"]

    def test_a_rule_that_has_expired_is_the_nearest_miss(self, folder):
        answer = self._explain(folder, "127.0.1.1", 3)
        assert answer["reason"] == "rule_expired"
        assert answer["nearest_miss"]["rule"]["name"] == "old"

    def test_another_time_may_be_asked_about(self, folder):
        answer = self._explain(folder, "127.0.1.1", 0, "--at", "2019-06-01T00:00:00Z")
        assert answer["rule"]["name"] == "old"

    def test_a_way_that_no_session_can_take_is_not_explained(self, certificates, prepare_gateway):
        listeners = [configuration.listener(certificates),
                     configuration.listener(certificates, "other", servers=["billing"])]
        servers = [configuration.server(certificates, ["127.0.0.1:9"], name=name)
                   for name in ("orders", "billing")]
        folder = prepare_gateway(configuration.gateway_yaml(
            certificates, [], listeners=listeners, servers=servers,
            networks=[{"name": "cloud", "matched_by": [{"azure_link_id": 5}]}]))

        def refused(*more):
            done = folder.run_command("explain", "--server", "orders", "--from", "127.0.0.5", *more)
            assert done.returncode == 2
            return done.stderr

        assert "listener 'other' does not lead to server 'orders'" in refused("--listener", "other")
        without_headers = refused("--listener", configuration.LISTENER, "--azure-link-id", "5")
        assert f"listener '{configuration.LISTENER}' has no proxy_protocol" in without_headers

    def test_people_read_the_same_in_words(self, folder):
        output = folder.command("explain", "--server", "orders", "--from", "127.0.0.64", code=3)
        assert "office" in output and "rules/orders.yaml:3" in output


def test_diff_tells_who_gains_and_who_loses(certificates, prepare_gateway, folder):
    new = prepare_gateway(configuration.gateway_yaml(certificates, ["127.0.0.1:9"]),
                          {"orders.yaml": configuration.rule_file("office 127.0.0.32-127.0.0.95")})
    changes = folder.json_command("diff", str(new.yaml_path))
    [gained], [lost] = changes["gained"], changes["lost"]
    assert (gained["server"], gained["source"]) == ("orders", "127.0.0.64-127.0.0.95")
    assert gained["rule"]["name"] == "office"
    assert lost["source"] == "127.0.0.0-127.0.0.31"
    assert folder.json_command("diff", str(folder.yaml_path)) == {"gained": [], "lost": []}


def test_diff_says_where_sources_are_recognised_in_another_way(certificates, prepare_gateway):
    def prepare(link_id, sender):
        return prepare_gateway(configuration.gateway_yaml(
            certificates, ["127.0.0.1:9"],
            listeners=[configuration.listener(certificates, proxy_protocol={"from": [sender]})],
            networks=[{"name": "cloud", "matched_by": [{"azure_link_id": link_id}]}]))

    old = prepare(5, "10.0.0.1")
    for new, said in ((prepare(5, "10.0.0.1"), ""), (prepare(6, "10.0.0.1"), "network cloud\n"),
                      (prepare(6, "10.0.0.2"), "network cloud, listener public-databases\n")):
        done = old.run_command("diff", str(new.yaml_path))
        assert done.returncode == 0
        assert done.stderr.endswith(said) and bool(done.stderr) == bool(said)


@pytest.mark.parametrize("hard, falls_short", [(1256, False), (1255, True)])
def test_run_raises_its_descriptor_limit_and_says_where_it_falls_short(
        certificates, start_gateway, hard, falls_short):
    gateway = start_gateway(
        configuration.gateway_yaml(certificates, ["127.0.0.1:9"], limits={"sessions": 500}),
        enter=["prlimit", f"--nofile=100:{hard}"])
    assert resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    assert (f"may open {hard} files" in gateway.log_text()) == falls_short


def test_the_log_is_json_where_a_program_reads_it(certificates, start_gateway):
    gateway = start_gateway(configuration.gateway_yaml(
        certificates, ["127.0.0.1:9"], log={"level": "info", "format": "json"}))
    lines = [json.loads(line) for line in gateway.log_text().splitlines()]
    assert lines
    assert all({"time", "level", "message"} <= line.keys() for line in lines)


class TestRunning:
    """Questions to a gateway that serves."""

    @pytest.fixture
    def session(self, gateway):
        with gateway.connect("127.0.0.5") as session:
            yield session.log_in("native", PASSWORD, "shop")

    def test_status_is_what_programs_rely_on(self, gateway, session, mariadb):
        assert session.ping()
        status = gateway.status()
        assert set(status) == {
            "ready", "snapshot", "sessions", "listeners", "servers", "lockdowns", "blocked",
            "audit"}
        assert set(status["snapshot"]) == {"generation", "loaded", "files", "last_error"}
        assert status["ready"] is True
        assert status["snapshot"]["generation"] == 1
        assert status["snapshot"]["last_error"] is None
        assert status["sessions"] == 1
        assert status["listeners"] == [
            {"name": configuration.LISTENER, "address": f"127.0.0.1:{gateway.port}"}]
        assert status["servers"] == [
            {"name": "orders", "sessions": 1, "locked_down": False,
             "locked_down_by_rules": None,
             "backends": [{"backend": mariadb.tcp_backend, "state": "up"}]}]
        assert status["lockdowns"] == {"stored": True, "by_command": []}
        assert status["blocked"] == []

    def test_the_socket_may_be_named_instead_of_the_configuration(self, gateway):
        done = run("status", "--socket", str(gateway.folder / "admin.sock"), "--format", "json")
        assert done.returncode == 0, done.stderr
        assert (gateway.folder / "admin.sock").stat().st_mode & 0o777 == 0o600

    def test_a_broken_configuration_does_not_keep_the_commands_from_working(self, gateway):
        gateway.write_configuration(
            '{"listeners": nonsense, "admin": {"socket": "admin.sock"}}\n')
        assert gateway.status()["snapshot"]["generation"] == 1

    def test_sessions_lists_who_is_in(self, gateway, session, mariadb):
        [listed] = gateway.json_command("sessions")
        opened = gateway.wait_for_audit("opened")
        assert listed["session"] == opened["session"]
        assert listed["source"] == {"address": "127.0.0.5", "port": session.source_port}
        assert (listed["user"], listed["database"]) == ("native", "shop")
        assert listed["backend"] == mariadb.tcp_backend

    @pytest.mark.parametrize("arguments, matches", [
        (["--server", "orders"], True), (["--user", "native"], True), (["--user", "ed"], False),
        (["--from", "127.0.0.0/29"], True), (["--from", "127.0.1.0/24"], False),
        (["--rule", "loopback"], True), (["--rule", "office"], False)])
    def test_sessions_are_chosen_by(self, gateway, session, arguments, matches):
        assert session.ping()
        assert len(gateway.json_command("sessions", *arguments)) == int(matches)

    def test_close_ends_one_session_and_no_other(self, gateway, session):
        opened = gateway.wait_for_audit("opened")
        with gateway.connect() as other:
            other.log_in("native", PASSWORD)
            gateway.command("close", opened["session"])
            session.wait_for_end()
            closed = gateway.wait_for_audit("closed")
            assert (closed["session"], closed["close_reason"]) == (opened["session"], "killed")
            assert other.ping()

    def test_close_takes_all_of_a_source(self, gateway, session):
        with gateway.connect() as other:
            other.log_in("native", PASSWORD)
            gateway.command("close", "--from", "127.0.0.4-127.0.0.6")
            session.wait_for_end()
            assert other.ping()

    def test_close_without_saying_which_closes_none(self, gateway, session):
        assert gateway.run_command("close").returncode in (1, 2)
        assert session.ping()

    def test_rules_shows_hits_and_last_use(self, gateway, session):
        assert session.ping()
        [rule] = gateway.json_command("rules")
        assert (rule["name"], rule["file"], rule["line"]) == ("loopback", "rules/orders.yaml", 3)
        assert rule["hits"] == 1
        assert rule["last_used"]

    def test_what_a_client_chose_tells_no_terminal_what_to_do(self, gateway, mariadb):
        user = "x\x1b[2J\x7f\u009b\u202ey"
        mariadb.execute(f"CREATE USER '{user}' IDENTIFIED BY '{PASSWORD}'")
        try:
            with gateway.connect() as session:
                session.log_in(user, PASSWORD)
                table = gateway.command("sessions")
                assert r"x\x1b[2J\x7f\u009b\u202ey" in table
                text = gateway.command("sessions", "--format", "json")
                assert json.loads(text)[0]["user"] == user
                for printed in (table, text):
                    assert printed.replace("\n", "").isprintable()
        finally:
            mariadb.execute(f"DROP USER '{user}'")
