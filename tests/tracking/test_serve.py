"""Options that mlflow/serve.sh passes to the server."""

import os
import platform
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def server_options(**variables: str) -> dict[str, str]:
    """Return the options that serve.sh passes to the server."""
    env = os.environ | {"PYTHON": "/bin/echo"} | variables
    script = ["sh", str(REPOSITORY / "mlflow" / "serve.sh")]
    words = subprocess.run(
        script, env=env, capture_output=True, text=True, check=True, encoding="utf-8"
    ).stdout.split()
    return dict(zip(words[3::2], words[4::2], strict=True))


def test_a_served_store_answers_by_name(tmp_path: Path) -> None:
    from mlflow.server.security_utils import is_allowed_host_header, should_block_cors_request

    name = platform.node()
    for names, variables in {
        ("localhost", "127.0.0.1", name): {},
        ("tracker.lab", "tracker"): {"ALLOWED_HOSTS": "tracker.lab,tracker"},
    }.items():
        options = server_options(**variables)
        hosts, origins = (options[key].split(",") for key in ("--allowed-hosts", "--cors-allowed-origins"))
        for host in (*names, *(f"{name}:5000" for name in names)):
            assert is_allowed_host_header(hosts, host)
            assert not should_block_cors_request(f"http://{host}", "POST", origins)
        assert not is_allowed_host_header(hosts, f"{names[0]}.evil.com")
        assert should_block_cors_request(f"http://{names[0]}.evil.com", "POST", origins)


def test_a_team_serves_another_store(tmp_path: Path) -> None:
    assert server_options()["--backend-store-uri"] == f"sqlite:///{REPOSITORY}/mlflow/mlflow.db"
    assert server_options(STORE="team.db")["--backend-store-uri"] == f"sqlite:///{REPOSITORY}/mlflow/team.db"
    options = server_options(STORE=f"{tmp_path}/far/team.db")
    assert options["--backend-store-uri"] == f"sqlite:///{tmp_path}/far/team.db"
    assert options["--artifacts-destination"] == f"{tmp_path}/far/artifacts"
