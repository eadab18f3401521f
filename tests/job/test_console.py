"""Output without a terminal: few, plain lines."""

import logging
import re

import pytest

from experiments.job import console


def test_progress_without_a_terminal_is_a_line_now_and_then(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 4.0, 11.0, 12.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    caplog.set_level(logging.INFO)
    with console.lines("decode images", 1000, "images") as done:
        for _ in range(3):
            done(100)
    (line,) = caplog.messages
    assert line.startswith("decode images")
    assert re.findall(r"\d[\d.,]*\b", line) == ["200", "1,000", "18.2", "44"]


def test_a_warning_is_given_once(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.Handler, "printed", set())
    handler = console.Handler()
    for level in (logging.WARNING, logging.WARNING, logging.INFO, logging.INFO):
        handler.emit(logging.LogRecord("x", level, "", 0, "one image of %s", ("mars",), None))
    assert capfd.readouterr().err.splitlines() == ["one image of mars"] * 3


def test_epochs_reach_the_record() -> None:
    seen: list[tuple[int, object]] = []
    console.Report(lambda step, values: seen.append((step, values))).metrics(3, {"loss": 0.5})
    assert seen == [(3, {"loss": 0.5})]


def test_a_narrow_terminal_gets_fewer_columns_and_whole_numbers(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "stdout", console.Console(width=42, force_terminal=True))
    console.table(
        "figures", ["cluster.k", "ari", "purity_validation", "acc"], [["10", "0.987", "0.997", "0.99"]]
    )
    out = capfd.readouterr().out
    assert re.match(r"figures \(1 more .*terminal", out)
    assert "0.987" in out
    assert "purity_validation" in out
    assert max(len(line) for line in out.splitlines()[1:]) <= 42
