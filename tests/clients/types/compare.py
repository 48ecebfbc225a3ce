"""The steps at which two servers differ: `python compare.py OURS POSTGRESQL`, of each the lines that the clients wrote.

Lines are compared by client, type and step. With `--known FILE` the differences that its lines name are left out (a client,
a type and a step, each a pattern of the shell, between tabs), and a line that names none is told. Ends with an error if any
is left.
"""

import fnmatch
import json
import sys


def steps(path):
    found = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            step = json.loads(line)
            found[step["client"], step["type"], step["step"]] = step
    return found


def known(path):
    with open(path, encoding="utf-8") as lines:
        return [line.rstrip("\n").split("\t")[:3] for line in lines if line.strip() and not line.startswith("#")]


def matches(key, name):
    return all(map(fnmatch.fnmatchcase, key, name))


def is_asked(name, keys):
    """Whether any step has the name: a client or a type may be left out."""
    return any(matches(key, name) for key in keys)


def main():
    arguments = sys.argv[1:]
    names = []
    if arguments[0] == "--known":
        names = known(arguments[1])
        arguments = arguments[2:]
    ours, theirs = map(steps, arguments)
    differ, used = [], set()
    for key in {**theirs, **ours}:
        one, other = (side.get(key, {"got": "no such step"}) for side in (ours, theirs))
        if one["got"] == other["got"]:
            continue
        name = next((at for at, name in enumerate(names) if matches(key, name)), None)
        if name is None:
            differ.append((key, one, other))
        used.add(name)
    for (client, kind, step), one, other in differ:
        print(f"{client}\t{kind}\t{step}")
        for whose, line in [("ours", one), ("PostgreSQL", other)]:
            says = f"  ({line['says']})".replace("\n", " ") if "says" in line else ""
            print(f"    {whose}: {json.dumps(line['got'], ensure_ascii=False)}{says}")
    unused = [name for at, name in enumerate(names) if at not in used and is_asked(name, theirs)]
    for name in unused:
        print("named as known, and does not differ: " + " ".join(name))
    print(f"{len(theirs)} steps, {len(differ)} differ, {len(used - {None})} names of known differences used")
    sys.exit(1 if differ or unused or not theirs else 0)


if __name__ == "__main__":
    main()
