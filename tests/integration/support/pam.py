"""A PAM service of the tests' own, which a server that is started by `enter` has."""

import os
import pathlib
import subprocess
import tempfile

SERVICE = "gatehouse"
PLUGINS = ("/usr/lib/mysql/plugin/auth_pam.so",
           f"/usr/lib/{os.uname().machine}-linux-gnu/security/pam_exec.so")


def missing():
    """Why no server can be given such a service here; None if one can."""
    if os.geteuid() != 0:
        return "PAM's services are root's: a mount namespace with others needs root"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        return "this system does not let us make mount namespaces"
    for plugin in PLUGINS:
        if not pathlib.Path(plugin).is_file():
            return f"{plugin} is not installed"
    return None


class PamService:
    """Takes one password from everybody, after it has asked for it."""

    def __init__(self, password):
        self._folder = tempfile.TemporaryDirectory(prefix="gatehouse-pam-")
        folder = pathlib.Path(self._folder.name)
        (folder / SERVICE).write_text(
            f"auth required pam_exec.so expose_authtok quiet /etc/pam.d/check\n"
            f"account required pam_permit.so\n")
        check = folder / "check"
        check.write_text(f"#!/bin/sh\ntest \"$(tr -d '\\000')\" = '{password}'\n")
        check.chmod(0o755)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def enter(self):
        """What to put before a command so that PAM reads this instead of the system's."""
        over_the_systems = f'mount --bind {self._folder.name} /etc/pam.d && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", over_the_systems, "sh"]
