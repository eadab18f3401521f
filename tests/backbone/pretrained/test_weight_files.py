"""Missing weights are downloaded completely or not at all."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.messages import says

from experiments.backbone.pretrained.weight_files import find_or_download

DATA = bytes(range(256)) * 40
DIGITS = hashlib.sha256(DATA).hexdigest()[:8]


@pytest.fixture
def server() -> Iterator[str]:
    """Serve DATA under all names except `absent`, and a part of it under `cut`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404 if "absent" in self.path else 200)
            self.send_header("Content-Length", str(0 if "absent" in self.path else len(DATA)))
            self.end_headers()
            if "absent" not in self.path:
                self.wfile.write(DATA[:100] if "cut" in self.path else DATA)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def test_missing_weights_are_downloaded_once(server: str, tmp_path: Path):
    name = f"net-{DIGITS}.pth"
    folder = tmp_path / "weights"
    path = find_or_download([(f"{server}/{name}", name)], folder, "net")
    assert path == folder / name
    assert path.read_bytes() == DATA
    assert find_or_download([("http://127.0.0.1:1/gone", name)], folder, "net") == path
    assert [file.name for file in folder.iterdir()] == [name]


def test_the_second_source_is_used_if_the_first_is_absent(server: str, tmp_path: Path):
    sources = [(f"{server}/absent", "a.safetensors"), (f"{server}/there", "b.bin")]
    assert find_or_download(sources, tmp_path, "net").name == "b.bin"


@pytest.mark.parametrize(
    ("address", "name", "reason"),
    [
        ("cut", "net.pth", "100 "),
        ("whole", "net-00000000.pth", "does not match"),
        ("absent", "net.pth", "not found"),
    ],
)
def test_a_failed_download_leaves_no_file(address: str, name: str, reason: str, server: str, tmp_path: Path):
    with pytest.raises(ValueError) as error:
        find_or_download([(f"{server}/{address}", name)], tmp_path, "net")
    text = says(error, key="backbone.weights=pretrained", use="backbone.weights=none")
    says(text, use=reason)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/net.pth", "https://no-such-host.invalid/net.pth"])
def test_the_error_without_a_network_names_url_and_path(address: str, tmp_path: Path):
    with pytest.raises(ValueError) as error:
        find_or_download([(address, "net.pth")], tmp_path, "net")
    text = says(error, key="backbone.model=net", use="backbone=efficientnet_lite0")
    says(text, key=address, use=f"{tmp_path / 'net.pth'},")
