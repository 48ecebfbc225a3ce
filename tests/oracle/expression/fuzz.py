"""Random expressions asked of both servers, and the differing ones made small."""

import collections
import random
import re

from .compare import (
    ANSWERS,
    BROKEN,
    FIRST_ERROR,
    FOLDED,
    NOT_NEEDED,
    REFUSED,
    STATE,
    Finding,
    accepted,
    verdict,
)
from .generate import TABLE, Generator, Grammar, Node, Statement, table_statements
from .server import GIVEN_UP
from .values import LIMITS, TYPES, literal

LAZY = re.compile(r"\b(CASE|COALESCE|AND|OR)\b")
# Of the statements that PostgreSQL refuses, so many are tried.
REFUSED_SHARE = 0.3
ATTEMPTS = 300


class Fuzz:
    def __init__(self, theirs, ours, catalogue, names, findings):
        self.theirs, self.ours, self.findings = theirs, ours, findings
        self.grammar = Grammar(catalogue, names)
        self.minimised, self.seen = 0, collections.Counter()

    def prepare(self):
        """The table in both; what ours cannot store is not in it."""
        stored, missing = {}, []
        for kind in TYPES:
            self.ours.ask(f"DROP TABLE IF EXISTS {TABLE}")
            made = self.ours.ask(f"CREATE TABLE {TABLE} (value {kind})")
            for value in [] if made.state else LIMITS[kind]:
                if self.ours.ask(f"INSERT INTO {TABLE} VALUES ({literal(value, kind)})").state:
                    missing.append(f"{kind} {value}")
                else:
                    stored.setdefault(kind, []).append(value)
            if made.state:
                missing.append(kind)
        for server in (self.theirs, self.ours):
            server.ask(f"DROP TABLE IF EXISTS {TABLE}")
            for sql in table_statements(stored):
                answer = server.ask(sql)
                if answer.state:
                    raise SystemExit(f"{sql}: {answer.message}")
        if missing:
            print("not in columns, as they cannot be stored: " + ", ".join(missing), flush=True)
        return stored

    def run(self, seed, count, collect):
        stored = self.prepare()
        compared = number = 0
        while compared < count:
            number += 1
            chooser = random.Random(f"{seed} {number}")
            try:
                statement = Generator(self.grammar, chooser, stored).statement()
            except RecursionError:
                continue
            theirs = self.ask(self.theirs, statement)
            if theirs.state in GIVEN_UP or (theirs.state and chooser.random() > REFUSED_SHARE):
                continue
            compared += 1
            self.findings.compared["refused" if theirs.state else "answered"] += 1
            found = self.compare(statement, theirs)
            if found:
                found = found._replace(label=f"seed {seed} number {number}")
                self.tell(statement, found, collect)

    def ask(self, server, statement):
        sql, parameters = statement.write()
        if parameters is None:
            return server.ask(sql)
        kinds = [self.grammar.oids[each.kind] if each.is_declared else 0 for each in parameters]
        return server.ask(sql, [each.value for each in parameters], kinds)

    def compare(self, statement, theirs=None):
        theirs = theirs or self.ask(self.theirs, statement)
        if theirs.state in GIVEN_UP:
            return None
        ours = self.ask(self.ours, statement)
        sql, parameters = statement.write()
        kind = verdict(sql, theirs, ours)
        if not kind:
            return None
        shown = sql
        if parameters:
            shown += "  -- " + ", ".join(
                f"{each.value!r} {each.kind if each.is_declared else ''}" for each in parameters
            )
        return Finding(kind, "random", "", "", shown, theirs, ours)

    def tell(self, statement, found, collect):
        """Counts a difference, and makes it small if it is among the first of its kind."""
        reason = accepted(found) or self.accepted_within(statement, found)
        if reason:
            self.findings.accept(reason)
            return
        key = found.group()
        self.seen[key] += 1
        if (
            self.minimised < max(collect, 1)
            and (self.seen[key] <= 3 or not found.ours.state)
            and found.verdict != BROKEN
        ):
            statement, found = self.smaller(statement, found)
            found = found._replace(name=shape_of(statement.root))
            self.minimised += 1
        self.findings.add(found)

    def accepted_within(self, statement, found):
        """Why a difference is accepted that the parts of the expression explain."""
        if found.verdict not in (STATE, ANSWERS, REFUSED):
            return None
        for node, is_lazy in within(statement.root):
            if not node.children():
                continue
            has_columns = node.has_columns()
            part = Statement(node, ("SELECT ", f" FROM {TABLE}" if has_columns else ""), statement.is_prepared)
            theirs = self.ask(self.theirs, part)
            if found.verdict == STATE and theirs.state == found.ours.state:
                return FIRST_ERROR
            if found.verdict == REFUSED and theirs.state == found.ours.state and not is_lazy:
                return NOT_NEEDED
            is_folded = theirs.state == found.theirs.state and not has_columns and is_lazy
            if found.verdict == ANSWERS and is_folded and self.ask(self.ours, part).state == theirs.state:
                return FOLDED
        return None

    def smaller(self, statement, found):
        """The statement with as much left out as leaves the same kind of difference."""
        left = ATTEMPTS

        def is_same(candidate):
            nonlocal left
            left -= 1
            other = self.compare(candidate)
            if other and other.group() == found.group() and not accepted(other):
                return other
            return None

        # A part of it by itself.
        for node in sorted(statement.root.below(), key=lambda node: len(node.write([]))):
            if node is statement.root or not node.children() or left <= 0:
                continue
            place = f" FROM {TABLE} ORDER BY id" if node.has_columns() else ""
            candidate = Statement(node, ("SELECT ", place), statement.is_prepared)
            other = is_same(candidate)
            if other:
                statement, found = candidate, other._replace(label=found.label)
                break
        changed = True
        while changed and left > 0:
            changed = False
            for node in list(statement.root.below()):
                for parts in simpler(node):
                    if left <= 0:
                        break
                    before, node.parts = node.parts, parts
                    other = is_same(statement)
                    if other:
                        found, changed = other._replace(label=found.label), True
                        break
                    node.parts = before
        if statement.is_prepared and (other := is_same(statement._replace(is_prepared=False))):
            statement, found = statement._replace(is_prepared=False), other._replace(label=found.label)
        return statement, found


def within(node, is_lazy=False):
    """The parts of an expression, each with whether something above it decides if it is evaluated."""
    is_lazy = is_lazy or any(isinstance(part, str) and LAZY.search(part) for part in node.parts)
    for child in node.children():
        yield child, is_lazy
        yield from within(child, is_lazy)


def simpler(node):
    """What could stand for a node: a part of it, NULL, a plain value."""
    children = node.children()
    for child in children:
        if child.kind == node.kind:
            yield child.parts
    if children:
        yield [literal(None, node.kind)]
        yield [literal(LIMITS[node.kind][0], node.kind)]
    elif any(isinstance(part, tuple) for part in node.parts):
        yield [literal(LIMITS[node.kind][0], node.kind)]
    elif isinstance(node.parts[0], str) and node.parts[0].startswith("c_"):
        yield [literal(LIMITS[node.kind][0], node.kind)]


def shape_of(node):
    """The expression without its values."""
    return "".join(
        part
        if isinstance(part, str) and node.children()
        else f"<{node.kind}>"
        if not isinstance(part, Node)
        else shape_of(part)
        for part in node.parts
    )
