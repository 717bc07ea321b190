"""Rules that somebody changes every second, beside whatever else goes on."""

import threading

EVERY_SECONDS = 1.0


class Rewriting:
    """A context manager. In it, a rule file of a gateway's gets one rule more, or another one."""

    def __init__(self, gateway, name, text):
        """`text`: the file as it is, which ends with a rule; no source of a test's is in 192.0.2.0/24."""
        self._gateway = gateway
        self._name = name
        self._text = text
        self._before = gateway.generation()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.count = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        self._ending.set()
        self._thread.join()
        if kind is None:
            self._gateway.wait_for_generation_after(self._before)

    def _run(self):
        while True:
            self.count += 1
            rule = f"  - {{name: round-{self.count}, range: 192.0.2.{self.count % 256}}}\n"
            self._gateway.write_rules(self._text + rule, self._name)
            if self._ending.wait(EVERY_SECONDS):
                return
