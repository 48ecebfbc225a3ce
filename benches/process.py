"""A process of its own for each run, so that its time and memory can be told."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

LAUNCH = str(pathlib.Path(__file__).resolve().parent / "launch.py")


def environment():
    """What the caller has set, but for what would change what a Fusewire or a client of PostgreSQL does."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("FUSEWIRE_", "PG"))}


class Finished:
    """What a process wrote, how long it took to its first byte and in all, and the most memory it held."""

    def __init__(self, command, limit_s=0, may_fail=False):
        with tempfile.TemporaryFile() as errors, tempfile.NamedTemporaryFile() as report:
            launch = [sys.executable, "-I", "-S", LAUNCH, report.name, str(limit_s), *command]
            process = subprocess.Popen(launch, stdout=subprocess.PIPE, stderr=errors, env=environment())
            first = process.stdout.read(1)
            first_byte_at = time.perf_counter()
            self.text = (first + process.stdout.read()).decode()
            process.stdout.close()
            process.wait()
            errors.seek(0)
            self.errors = errors.read().decode(errors="replace").strip()
            found = report.read().decode().split()
        if not found:
            sys.exit(f"{' '.join(map(str, command))}: could not be started: {self.errors}")
        began, ended = float(found[0]), float(found[1])
        self.first_byte, self.seconds = first_byte_at - began, ended - began
        self.failed = found[2] != "0"
        self.peak_mib = int(found[3]) / (1024 * 1024)
        if self.failed and limit_s and self.seconds >= limit_s:
            self.errors = f"killed after {limit_s:g} s"
        elif self.failed and not self.errors:
            self.errors = f"ended with {found[2]}"
        if self.failed and not may_fail:
            sys.exit(f"{' '.join(map(str, command))}: {self.errors}")

    def timings(self):
        """The seconds that \\timing reported, one a statement."""
        return [float(found) / 1000 for found in re.findall(r"^time: ([0-9.]+) ms$", self.text, re.MULTILINE)]


def script(folder, fusewire, sql, *options):
    file = folder / "script.sql"
    file.write_text("\n".join(line.strip() for line in sql.splitlines()))
    return [fusewire, *options, "--format", "csv", "-f", str(file)]
