"""The parts of `tests/oracle/expressions.py`."""
