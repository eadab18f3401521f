"""A command passes facts to its jobs in a variable, and removes it afterwards."""

import os

import pytest

from experiments.config.invocation import VARIABLE, Invocation

WHOLE = Invocation(
    "run.py -m 'a b=1,2'", ("a b=1,2",), "/tmp/ü", 3, ("a b",), ("sqlite:///x", "1", "id"), resumed=True
)


@pytest.mark.parametrize("invocation", [WHOLE, Invocation(), Invocation(typed=())])
def test_jobs_read_what_they_were_told(invocation: Invocation) -> None:
    assert Invocation.from_json(invocation.to_json()) == invocation
    with invocation.passed_to_jobs():
        assert Invocation.current() == invocation


def test_no_variable_stays_behind() -> None:
    with pytest.raises(KeyboardInterrupt), WHOLE.passed_to_jobs():
        raise KeyboardInterrupt
    assert VARIABLE not in os.environ
    assert Invocation.current() == Invocation()
