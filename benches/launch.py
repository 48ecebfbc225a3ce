"""Runs a command and writes to a file when it began and ended, its exit code and its peak memory in bytes.

    python -I -S launch.py REPORT LIMIT_S COMMAND...        LIMIT_S 0 is no limit; after it the command is killed

Linux counts to the peak of a process what its parent held when it was started, so the parent has to be small: this one
imports next to nothing, whatever run.py holds. Its times are those of one clock for all processes.
"""

import os
import signal
import sys
import time

report, limit_s, *command = sys.argv[1:]
began = time.perf_counter()
process = os.posix_spawnp(command[0], command, os.environ)
signal.signal(signal.SIGALRM, lambda *_: os.kill(process, signal.SIGKILL))
signal.setitimer(signal.ITIMER_REAL, float(limit_s))
_, status, usage = os.wait4(process, 0)
ended = time.perf_counter()
signal.setitimer(signal.ITIMER_REAL, 0)
# Kilobytes on Linux, bytes on macOS.
peak = usage.ru_maxrss * (1024 if sys.platform == "linux" else 1)
with open(report, "w") as file:
    file.write(f"{began!r} {ended!r} {os.waitstatus_to_exitcode(status)} {peak}")
