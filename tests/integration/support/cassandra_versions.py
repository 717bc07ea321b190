"""The Cassandra servers that tests can start, which tests/drivers/install has fetched."""

import os
import shutil

from support import driver_cache

NEWEST = "5.0"
OLDER = ["4.1", "4.0"]
# Parts of Java that Cassandra reaches into: with these, none of its calls is refused.
_OPENED = {
    "java.base": [
        "java.io", "java.lang", "java.lang.module", "java.lang.ref", "java.lang.reflect",
        "java.math", "java.net", "java.nio", "java.util", "java.util.concurrent",
        "java.util.concurrent.atomic", "jdk.internal.loader", "jdk.internal.math",
        "jdk.internal.misc", "jdk.internal.module", "jdk.internal.perf", "jdk.internal.ref",
        "jdk.internal.reflect", "jdk.internal.util", "jdk.internal.util.jar", "sun.nio.ch",
        "sun.nio.fs"],
    "java.management.rmi": ["com.sun.jmx.remote.internal.rmi"],
    "java.rmi": ["sun.rmi.registry", "sun.rmi.server", "sun.rmi.transport.tcp"],
    "java.sql": ["java.sql"],
    "jdk.attach": ["sun.tools.attach"],
    "jdk.management": ["com.sun.management", "com.sun.management.internal"],
    "jdk.unsupported": ["sun.misc"],
}
# What a node of next to no data needs, and what makes it start soon: nothing here measures it.
_SMALL = ["-Xms64M", "-Xmx256M", "-Xmn48M", "-Xss512k", "-XX:MaxDirectMemorySize=128M",
          "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
          "-XX:+ExitOnOutOfMemoryError", "-Dcassandra.available_processors=2",
          "-Dio.netty.allocator.type=unpooled", "-Dio.netty.eventLoopThreads=2"]
# So that `jamm`, which measures objects, does not keep the archive out.
_WITH_AGENT = ["-XX:+UnlockDiagnosticVMOptions", "-XX:+AllowArchivingWithJavaAgent"]


def newest():
    return Installation(NEWEST)


class Installation:
    """One of tests/drivers/cassandra-servers. Its classes are also in an archive, which halves the time that it takes to
    start; without it, or with one of another Java, it starts all the same."""

    def __init__(self, version, folder=None):
        self.version = version
        self._kind = f"cassandra-{version}"
        self._folder = folder or driver_cache.folder(self._kind)

    def missing(self):
        """Why it cannot be started here; None if it can."""
        if reason := driver_cache.missing(self._kind, f"Cassandra {self.version}"):
            return reason
        if shutil.which("java") is None:
            return "java is not installed (Debian: default-jdk-headless)"
        return None

    def server(self):
        """The command that serves, less everything about this node."""
        agent = next(self._folder.glob("lib/jamm-*.jar"))
        return ["java", *_SMALL, *_WITH_AGENT, *self._opened(), f"-javaagent:{agent}",
                f"-XX:SharedArchiveFile={self._archive()}"]

    def dumping_server(self):
        """The same, which leaves the archive behind when it ends."""
        command = self.server()
        command[-1] = f"-XX:ArchiveClassesAtExit={self._archive()}"
        return command

    def daemon(self):
        """What ends the command."""
        return ["-cp", self._class_path(), "org.apache.cassandra.service.CassandraDaemon"]

    def nodetool(self):
        """The command that administers, less the node and what to do."""
        return ["java", "-Xmx128M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                *self._opened(), "-cp", self._class_path(), "org.apache.cassandra.tools.NodeTool"]

    def _archive(self):
        return self._folder / "classes.jsa"

    def _class_path(self):
        # In a fixed order: an archive is good for the very class path it was made with.
        return os.pathsep.join(sorted(map(str, self._folder.glob("lib/*.jar"))))

    @staticmethod
    def _opened():
        return [f"--add-opens={module}/{package}=ALL-UNNAMED"
                for module, packages in _OPENED.items() for package in packages]
