"""Stores and servers that answer or do not, and the reasons in messages."""

import logging
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.messages import says

from experiments import tracking
from experiments.config.plan import Tracking
from experiments.tracking import server


def test_an_unreachable_server_is_named(tmp_path: Path) -> None:
    for uri, use in (("http://127.0.0.1:9", "leave tracking.uri out"), ("nonsense://", "sqlite:///<file>")):
        with pytest.raises(ConnectionError) as error:
            tracking.connect(Tracking(uri), "x")
        says(error, key=f"tracking.uri={uri}", use=use)


def test_a_database_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConnectionError) as error:
        tracking.connect(Tracking("postgresql://127.0.0.1:9/x"), "x")
    says(error, key="tracking.uri=postgresql://127.0.0.1:9/x", use='pip install "psycopg[binary]"')


def test_a_silent_server_is_reported_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        uri = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(ConnectionError) as error:
            server.check_reachable(uri, 0.2)
    assert "timed out" in says(error, key=f"tracking.uri={uri}", use="leave tracking.uri out")
    assert "\n" not in str(error.value)
    assert not caplog.records


@pytest.mark.parametrize("status", [200, 302, 403, 500])
def test_any_http_status_counts_as_an_answer(status: int) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9")
            self.end_headers()

    asked: list[str] = []
    with HTTPServer(("127.0.0.1", 0), Answer) as answering:
        threading.Thread(target=answering.handle_request, daemon=True).start()
        server.check_reachable(f"http://127.0.0.1:{answering.server_port}/")
    assert asked == ["/health"]


def test_an_untrusted_certificate_counts_as_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def distrust(address: str, **named: Any) -> None:
        asked.append(address)
        raise requests.exceptions.SSLError("self-signed certificate")

    monkeypatch.setattr(requests, "get", distrust)
    server.check_reachable("https://127.0.0.1:9")
    assert asked == ["https://127.0.0.1:9/health"]


def test_retries_are_not_shown_on_the_terminal(tracker: tracking.Tracker) -> None:
    assert logging.getLogger("urllib3.connectionpool").getEffectiveLevel() == logging.ERROR


def test_a_new_store_is_complete_under_its_name_and_leaves_no_partial_file(tmp_path: Path) -> None:
    (tmp_path / "new.db.partial").write_text("left by a killed process", encoding="utf-8")
    tracking.connect(Tracking(f"sqlite:///{tmp_path}/new.db"), "digits")
    assert {path.name for path in tmp_path.iterdir()} == {"new.db", "new.lock"}
