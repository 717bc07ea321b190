"""What has no network in it: programs of their own, whose words are taken as they are."""

import subprocess

from runner.findings import Findings, Text

NAME = "micro"
TITLE = "In memory"


def run(setting):
    identity = setting.identity
    found = Findings()
    for program, arguments in (("rules_bench", []), ("codec_bench", []),
                               ("handshake_bench", [identity.certificate, identity.key])):
        setting.progress(program)
        done = subprocess.run(
            [*setting.processors.for_proxy, setting.options.tool.with_name(program), *arguments],
            capture_output=True, text=True, check=True)
        found.tables.append(Text(program, done.stdout))
    return found
