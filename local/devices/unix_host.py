"""Hosts of other systems for the SSH probe: their files, and commands that print what theirs print."""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from netvitals.collectors.ssh.findings import Findings
from netvitals.collectors.ssh.probe import Output, Probe

_COMMAND = """#!/bin/sh
name=${0##*/}
cat "HOST/$name $*" 2>/dev/null || cat "HOST/$name"
"""
_SYSCTL = """#!/bin/sh
for name; do grep "^$name[.:= ]" "HOST/sysctl.txt"; done
"""


class UnixHost:
    """Runs the probe's text in a real shell, where it finds these files and these commands."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root = folder / "root"
        self.commands = folder / "commands"
        self.commands.mkdir(parents=True)

    def file(self, path: str, text: str) -> None:
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def command(self, name: str, script: str) -> None:
        path = self.commands / name
        path.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def prints(self, recorded: Path) -> None:
        """Commands that print what stands in the folder's files, named by the command line."""
        for file in recorded.iterdir():
            self.command(file.name.split()[0], _COMMAND.replace("HOST", str(recorded)))
        if (recorded / "sysctl.txt").exists():
            self.command("sysctl", _SYSCTL.replace("HOST", str(recorded)))

    def output(self, probe: Probe, shell: Sequence[str] = ("sh",), **environment: str) -> Output:
        stdin = probe.stdin
        if self.root.exists():
            stdin = stdin.replace(b" R=\n", f" R={self.root}\n".encode(), 1)
        path = f"{self.commands}:{os.environ['PATH']}"
        program = shutil.which(shell[0], path=path) or shell[0]
        done = subprocess.run(
            [program, *shell[1:]],
            input=stdin,
            capture_output=True,
            env={"PATH": path, **environment},
            check=False,
            timeout=60,
        )
        return Output([(time.time_ns(), done.stdout)], done.stderr, probe.end in done.stdout)

    def findings(
        self, shell: Sequence[str] = ("sh",), *, second_sample: bool = False, disks: bool = True
    ) -> Findings:
        probe = Probe(second_sample=second_sample, disks=disks)
        return probe.findings(self.output(probe, shell))
