"""What gateway/demo says where it cannot show anything, and that it leaves nothing behind then.

Usage: demo_test.py DEMO BINARY
"""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

DEMO, BINARY = sys.argv[1:3]

NOBODY = 65534  # Debian's user of this name
# Stand before Debian's tools: those of a machine without the packages, and without a network.
NOTHING_INSTALLED = {"dpkg-query": "exit 1"}
NO_NETWORK = {"apt-get": "echo 'E: Temporary failure resolving' >&2; exit 100",
              "sudo": 'exec "$@"'}


class Demo(unittest.TestCase):
    def run_demo(self, *options, tools=None, user=None, code=1):
        """Its stderr; `tools` are scripts by the names of the programs that they stand before."""
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            left, programs = pathlib.Path(folder, "left"), pathlib.Path(folder, "programs")
            left.mkdir()
            left.chmod(0o777)
            programs.mkdir()
            for name, script in (tools or {}).items():
                program = programs / name
                program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
                program.chmod(0o755)
            path = f"{programs}:{os.environ['PATH']}"
            ran = subprocess.run(
                [DEMO, *options], capture_output=True, text=True, check=False, timeout=100,
                user=user, env=os.environ | {"TMPDIR": str(left), "PATH": path})
            self.assertEqual(ran.returncode, code, ran.stdout + ran.stderr)
            self.assertEqual(list(left.iterdir()), [])
            self.assertRegex(ran.stderr, "(?m)^error: ")
            return ran.stderr

    def test_wrong_usage_is_said(self):
        for options in (["--port"], ["--port", "x"], ["--port", "65536"], ["--binary", "/nowhere"],
                        ["--nonsense"]):
            with self.subTest(options=options):
                self.assertIn(options[0], self.run_demo(*options, code=2))

    def test_a_port_in_use_is_said_with_what_to_do(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            said = self.run_demo("--once", "--binary", BINARY, "--port", port)
        self.assertIn(f"127.0.0.1:{port} is in use", said)
        self.assertIn("--port", said)

    def test_without_root_it_says_what_root_must_install(self):
        if shutil.which("sudo"):
            self.skipTest("who has sudo is as good as root")
        user = NOBODY if os.geteuid() == 0 else None
        said = self.run_demo("--once", "--binary", BINARY, tools=NOTHING_INSTALLED, user=user)
        self.assertIn("only root can install", said)
        self.assertIn("apt-get install", said)

    def test_without_a_network_it_says_so(self):
        said = self.run_demo("--once", "--binary", BINARY, tools=NOTHING_INSTALLED | NO_NETWORK)
        self.assertIn("could not install", said)
        self.assertIn("network", said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
