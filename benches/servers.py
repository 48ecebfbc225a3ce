"""Servers of the bench's own: each on a free port of loopback, over files that go when it ends."""

import collections
import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

from process import Finished, environment

VERSION = "15"
PATIENCE_S = 60


@dataclasses.dataclass
class Server:
    """One that can be connected to, by libpq's words for it."""

    name: str
    address: str


@contextlib.contextmanager
def fusewire(engine, folder):
    """A binary with its options, over a data directory of its own."""
    data = folder / f"data-{engine.name}"
    command = [engine.command[0], "serve", "--port", "0", "--data-dir", str(data), *engine.command[1:]]
    with running(command, r"^listening on (\S+):(\d+)$", signal.SIGTERM) as (host, port):
        yield Server(engine.name, f"host={host} port={port} user=bench dbname=fusewire")


@contextlib.contextmanager
def postgresql(programs):
    """A fresh cluster, with its default settings but for where it listens."""
    version = Finished([programs / "postgres", "--version"]).text.split()[2]
    with tempfile.TemporaryDirectory(prefix="fusewire-bench-postgresql-") as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        data = f"{folder}/data"
        made = ["--username=bench", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", data]
        initdb = [*as_user(programs / "initdb"), *made]
        subprocess.run(initdb, check=True, cwd="/", env=environment(), stdout=subprocess.DEVNULL)
        # It can't pick one itself.
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [*as_user(programs / "postgres"), "-D", data, "-k", folder, "-h", "127.0.0.1", "-p", str(port)]
        with running(command, r"ready to accept connections$", signal.SIGQUIT):
            yield Server(f"PostgreSQL {version}", f"host=127.0.0.1 port={port} user=bench dbname=postgres")


@contextlib.contextmanager
def running(command, ready, stop):
    """What a server says once it is ready, as the groups of a pattern; afterwards it is stopped by a signal."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    # The user as whom PostgreSQL runs need not be allowed to be where we are.
    process = subprocess.Popen(command, text=True, errors="replace", cwd="/", env=environment(), **pipes)
    said = collections.deque(maxlen=20)
    try:
        late = threading.Timer(PATIENCE_S, process.kill)
        late.start()
        found = None
        for line in process.stdout:
            said.append(line)
            if found := re.search(ready, line.rstrip("\n")):
                break
        late.cancel()
        if not found:
            sys.exit(f"{' '.join(command)}: does not start: {''.join(said).strip()}")
        # It is read on, so that the server never waits for its log.
        threading.Thread(target=said.extend, args=[process.stdout], daemon=True).start()
        yield found.groups()
        if process.poll() is not None:
            print(f"ENDED EARLY {' '.join(command)}, with {process.returncode}: {''.join(said).strip()}", flush=True)
    finally:
        process.send_signal(stop)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def as_user(program):
    """A program that refuses to run as root, run as the user that its package makes."""
    if os.geteuid() != 0:
        return [str(program)]
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--pdeathsig=QUIT", str(program)]


def programs():
    """Where PostgreSQL's programs of the wanted version are."""
    folders = [f"/usr/lib/postgresql/{VERSION}/bin", *os.environ.get("PATH", "").split(os.pathsep)]
    for folder in map(pathlib.Path, folders):
        if all((folder / program).is_file() for program in ("postgres", "initdb", "pgbench", "psql")):
            if f" {VERSION}." in Finished([folder / "postgres", "--version"]).text:
                return folder
    sys.exit(f"PostgreSQL {VERSION} is missing, the peer of this measure: apt-get install postgresql-{VERSION}")
