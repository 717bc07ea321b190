"""Reloads without a break, by every way to make them, while clients of every kind of listener work.

Nothing that is not about them may reach them: no session ends, no answer is wrong, who is denied
stays so. A long run also tells how long it takes to be let in, with reloads beside it and without.
"""

import contextlib
import pathlib
import signal
import ssl
import statistics
import threading
import time

import pytest

from support import every_kind, soak, tables
from support.refusals import denied_bytes
from support.waiting import wait_until

ALLOWED = "127.0.0.0/24"
STRANGER = "127.66.6.6"
# The one whom each reload lets in or shuts out.
TOGGLED = "127.0.9.9"
PAUSE_SECONDS = 0.02  # Between the questions of one client: the processors are for the gateway.
STREAMED_ROWS = soak.amount(2_000, 20_000)
# For how long it takes to be let in: so many visits to each kind of listener, then the same again
# while rules change.
VISITS = soak.amount(3, 50)
RELOAD_SECONDS = 0.3  # From one change to the next; a reload waits for more of them a while.


class Worker:
    """Does `task()` again and again in a thread, until it is told to end or something is wrong."""

    def __init__(self, name, task, pause=PAUSE_SECONDS):
        self.name = name
        self._pause = pause
        self.done = 0
        self.failure = None
        self._task = task
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while not self._ending.wait(self._pause):
                self._task()
                self.done += 1
        except BaseException as failure:
            self.failure = failure

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._thread.join()

    def assert_well(self):
        if self.failure is not None:
            raise AssertionError(f"{self.name}, after {self.done} times") from self.failure


class Crowd:
    """Every kind's clients: one that stays, one that comes and goes, one that reads what is long,
    one that is denied."""

    def __init__(self, gateway, kinds):
        self._gateway = gateway
        self._kinds = kinds
        self._workers = []
        self._running = contextlib.ExitStack()

    def __enter__(self):
        for kind in self._kinds:
            tasks = {"stays": self._staying(kind), "comes and goes": self._coming(kind),
                     "reads what is long": self._streaming(kind), "is denied": self._denied(kind)}
            for name, task in tasks.items():
                worker = Worker(f"{kind.name}, who {name}", task)
                self._workers.append(self._running.enter_context(worker))
        return self

    def __exit__(self, *_):
        self._running.close()

    def assert_well(self):
        for worker in self._workers:
            worker.assert_well()

    def go_on(self):
        """Until each client has done something more."""
        before = [worker.done for worker in self._workers]

        def has_gone_on():
            self.assert_well()
            return all(worker.done > old for worker, old in zip(self._workers, before))

        wait_until(has_gone_on, "every client goes on", deadline=60)

    def _log_in(self, kind, source):
        session = kind.connect(self._gateway, source)
        try:
            kind.log_in(session)
        except BaseException:
            session.close()
            raise
        return session

    def _staying(self, kind):
        session = self._running.enter_context(self._log_in(kind, "127.0.0.2"))
        numbers = iter(range(1, 1_000_000))

        def ask():
            assert kind.is_right(session, next(numbers))

        return ask

    def _coming(self, kind):
        def come():
            with self._log_in(kind, "127.0.0.3") as session:
                assert kind.is_right(session, 6)
                kind.leave(session)

        return come

    def _streaming(self, kind):
        session = self._running.enter_context(self._log_in(kind, "127.0.0.4"))

        def stream():
            assert kind.stream_is_right(session, STREAMED_ROWS)

        return stream

    def _denied(self, kind):
        def knock():
            assert kind.is_denied(self._gateway, STRANGER)

        return knock


class Operator:
    """Changes files in each way in turn, and sees to it that every change is in force."""

    def __init__(self, folder, certificates):
        self._folder = pathlib.Path(folder)
        self._identities = [certificates.gateway, certificates.renewed_gateway]
        self._authority = certificates.authority
        self._is_let_in = False
        self._folders = 0
        self.certificate, self.key = self._folder / "gateway.pem", self._folder / "gateway.key"
        self.rules = self._folder / "rules"
        self._swap_folder(self._text())
        self._replace_pair()
        self.gateway = None
        self.ways = [self.rename, self._write_in_place, self._write_half, self._swap,
                     self._renew_certificate, self._command, self._hang_up]

    def change(self, number):
        """Another way each time; returns when it is in force."""
        before = self.gateway.generation()
        self.ways[number % len(self.ways)]()
        self.gateway.wait_for_generation_after(before)
        wait_until(lambda: self._is_in_force(TOGGLED), "what the rules say is in force")

    def rename(self):
        self._replace(self._file, self._toggled())

    def _write_in_place(self):
        self._overwrite(self._toggled())

    def _overwrite(self, text):
        # Never empty in between: with threads that all want to run it might stay so for long enough
        # to be what is meant.
        with open(self._file, "r+b") as file:
            file.write(text.encode())
            file.truncate()

    def _write_half(self):
        before = self.gateway.generation()
        text = self._toggled()
        # Whole lines, but for the last newline: without the rule that lets all the others in.
        self._overwrite(text[:text.rindex("\n", 0, -1)])
        wait_until(lambda: self.gateway.status()["snapshot"]["last_error"], "the half is refused")
        assert self.gateway.generation() == before
        self._overwrite(text)

    def _swap(self):
        self._swap_folder(self._toggled())

    def _renew_certificate(self):
        self._identities.reverse()
        self._replace_pair()
        renewed = ssl.PEM_cert_to_DER_cert(self._identities[0].certificate.read_text())
        wait_until(lambda: self._presented() == renewed, "the other certificate is shown")

    def _command(self):
        self.rename()
        self.gateway.command("reload")

    def _hang_up(self):
        self.rename()
        self.gateway.signal(signal.SIGHUP)

    @property
    def _file(self):
        return self.rules / "all.yaml"

    def _text(self):
        return every_kind.rules("\n".join(
            [f"toggled {TOGGLED}"] * self._is_let_in + [f"everybody-else {ALLOWED}"]))

    def _toggled(self):
        self._is_let_in = not self._is_let_in
        return self._text()

    @staticmethod
    def _replace(path, text):
        beside = path.with_name(f".{path.name}.new")
        beside.write_text(text)
        beside.rename(path)

    def _swap_folder(self, text):
        self._folders += 1
        folder = self._folder / f"rules.{self._folders}"
        folder.mkdir()
        (folder / "all.yaml").write_text(text)
        beside = self._folder / "rules.new"
        beside.symlink_to(folder.name)
        beside.rename(self.rules)

    def _replace_pair(self):
        # One file behind the other, as every renewal does it: in between they do not fit.
        self._replace(self.key, self._identities[0].key.read_text())
        self._replace(self.certificate, self._identities[0].certificate.read_text())

    def _presented(self):
        with self.gateway.connect("127.0.0.5", "transparent") as session:
            session.read_greeting()
            session.start_tls(authority=self._authority)
            return session.certificate()

    def _is_in_force(self, source):
        with self.gateway.connect(source, "transparent") as session:
            return (session.receive() != denied_bytes(source)) == self._is_let_in


@pytest.fixture
def operator(certificates, mariadb, start_gateway, tmp_path):
    running = Operator(tmp_path, certificates)
    with every_kind.answering_node(certificates) as node:
        running.gateway = start_gateway(every_kind.gateway_yaml(
            certificates, mariadb.tcp_backend, node.tcp_backend, rules=f"{running.rules}/",
            limits={"handshake_timeout": "60s"},
            listener_tls={"certificate": str(running.certificate), "key": str(running.key)}), {})
        yield running


def test_reloads_without_a_break_reach_nobody_whom_they_are_not_about(operator, certificates):
    gateway = operator.gateway
    with Crowd(gateway, every_kind.all_kinds(certificates).values()) as crowd:
        for number in soak.rounds(56, 1_000):
            operator.change(number)
            crowd.assert_well()
        crowd.go_on()
    crowd.assert_well()
    print(f"{number + 1} reloads")
    assert gateway.status()["snapshot"]["last_error"] is None
    ends = [record for record in gateway.audit("closed") if record["source"]["address"] != TOGGLED]
    assert {record["close_reason"] for record in ends} == {"client_closed"}


def _visit(gateway, kind):
    """How many milliseconds it took to be let in."""
    begin = time.monotonic()
    with kind.connect(gateway, "127.0.0.3") as session:
        kind.log_in(session)
        milliseconds = 1000 * (time.monotonic() - begin)
        kind.leave(session)
    return milliseconds


def _table(calm, reloading):
    rows = [("milliseconds until let in", "times", "p50", "p90", "p99")]
    for kind, visits in calm.items():
        percentiles = [[statistics.quantiles(each, n=100)[percent - 1] for percent in (50, 90, 99)]
                       for each in (visits, reloading[kind])]
        for name, values in zip(("calm", "reloading"), percentiles):
            rows.append((f"{kind}, {name}", str(len(visits)), *(f"{each:.2f}" for each in values)))
        ratios = [there / here for here, there in zip(*percentiles)]
        rows.append((f"{kind}, ratio", "", *(f"{ratio:.2f}" for ratio in ratios)))
    return "\n".join(tables.aligned(rows))


def test_to_be_let_in_is_told_side_by_side_with_reloads_and_without(operator, certificates):
    kinds = list(every_kind.all_kinds(certificates).values())
    calm, reloading = ({kind.name: [] for kind in kinds} for _ in range(2))

    def visit(durations):
        for kind in kinds * VISITS:
            durations[kind.name].append(_visit(operator.gateway, kind))

    # In turn, for a machine is not as fast at all times.
    for _ in soak.rounds(1, 60):
        visit(calm)
        before = operator.gateway.generation()
        with Worker("who changes rules", operator.rename, RELOAD_SECONDS) as changing:
            visit(reloading)
            operator.gateway.wait_for_generation_after(before)
        changing.assert_well()
    if soak.is_long():
        print(_table(calm, reloading))
