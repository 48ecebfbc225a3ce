"""Every signature at its types' limits, over literals and over columns."""

import collections

from .cases import aggregate_statement, column_statement, literal_statement
from .server import GIVEN_UP, Answer

BATCH = 40
# Of a signature's values that PostgreSQL refuses with one SQLSTATE, so many are tried.
REFUSALS = 2


class Trial:
    def __init__(self, theirs, ours, findings):
        self.theirs, self.ours, self.findings = theirs, ours, findings
        self.waiting = []

    def judge(self, subject, sql, theirs, ours):
        # What PostgreSQL gives up in time says nothing.
        if theirs.state not in GIVEN_UP:
            self.findings.judge(subject.kind, subject.name, subject.label, sql, theirs, ours)

    def add(self, subject):
        """Tries a subject over literals at some time before `flush`, and over columns."""
        refused, answered = collections.Counter(), []
        for values in subject.tuples:
            expression = subject.over_literals(values)
            answer = self.theirs.ask(literal_statement([expression]))
            if not answer.state:
                answered.append(values)
                self.waiting.append((subject, expression, answer))
                continue
            refused[answer.state] += 1
            if refused[answer.state] > REFUSALS:
                continue
            sql = literal_statement([expression])
            self.judge(subject, sql, answer, self.ours.ask(sql))
            if subject.arguments and any(value is not None for value in values):
                sql = column_statement(subject, subject.over_columns(), [values])
                self.judge(subject, sql, self.theirs.ask(sql), self.ours.ask(sql))
        if answered:
            expression = f"pg_typeof({subject.over_literals(answered[0])})::text"
            self.waiting.append((subject, expression, self.theirs.ask(literal_statement([expression]))))
        if answered and subject.arguments:
            self.over_columns(subject, answered)
        while len(self.waiting) >= BATCH:
            batch, self.waiting = self.waiting[:BATCH], self.waiting[BATCH:]
            self.over_literals(batch)

    def flush(self):
        self.over_literals(self.waiting)
        self.waiting = []

    def over_literals(self, batch):
        """Expressions that PostgreSQL answers, in one statement as far as ours answers them too."""
        if not batch:
            return
        sql = literal_statement([expression for _, expression, _ in batch])
        answer = self.ours.ask(sql)
        if answer.state and len(batch) > 1:
            half = len(batch) // 2
            self.over_literals(batch[:half])
            self.over_literals(batch[half:])
            return
        for place, (subject, expression, theirs) in enumerate(batch):
            self.judge(
                subject, literal_statement([expression]), theirs, answer if answer.state else column(answer, place)
            )

    def over_columns(self, subject, tuples):
        """The same over rows; each row by itself where they are not all answered."""
        expression = subject.over_columns()
        sql = column_statement(subject, expression, tuples)
        theirs, ours = self.theirs.ask(sql), self.ours.ask(sql)
        if not theirs.state and not ours.state and len(theirs.rows) == len(ours.rows) == len(tuples):
            for place, values in enumerate(tuples):
                one, other = (side._replace(rows=(side.rows[place],)) for side in (theirs, ours))
                self.judge(subject, column_statement(subject, expression, [values]), one, other)
        elif len(tuples) == 1:
            self.judge(subject, sql, theirs, ours)
        else:
            half = len(tuples) // 2
            self.over_columns(subject, tuples[:half])
            self.over_columns(subject, tuples[half:])

    def aggregate(self, subject):
        """Over no rows, over NULLs, over each value, over all, over the values that can be aggregated."""
        width = len(subject.arguments)
        fine = [
            values for values in subject.tuples if not self.theirs.ask(aggregate_statement(subject, [values])).state
        ]
        groups = [[], [(None,) * width] * 2, list(subject.tuples), fine, fine[:1] * 3, fine[:3], fine[3:6], fine[::2]]
        groups += [[values] for values in subject.tuples]
        for tuples in groups:
            sql = aggregate_statement(subject, tuples)
            self.judge(subject, sql, self.theirs.ask(sql), self.ours.ask(sql))

    def rows(self, subject):
        """Of functions that give rows, the first ones."""
        for values in subject.tuples:
            sql = f"SELECT * FROM {subject.over_literals(values)} AS f LIMIT 30"
            self.judge(subject, sql, self.theirs.ask(sql), self.ours.ask(sql))


def column(answer, place):
    return Answer(tuple((row[place],) for row in answer.rows), (answer.types[place],), (answer.names[place],))
