"""What mlflow/serve.sh gives to the server."""

import os
import platform
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def served(**variables: str) -> dict[str, str]:
    """Return the options that serve.sh gives to the server."""
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
        options = served(**variables)
        hosts, origins = (options[key].split(",") for key in ("--allowed-hosts", "--cors-allowed-origins"))
        for asked in (*names, *(f"{name}:5000" for name in names)):
            assert is_allowed_host_header(hosts, asked)
            assert not should_block_cors_request(f"http://{asked}", "POST", origins)
        assert not is_allowed_host_header(hosts, f"{names[0]}.evil.com")
        assert should_block_cors_request(f"http://{names[0]}.evil.com", "POST", origins)


def test_a_team_serves_a_store_of_its_own(tmp_path: Path) -> None:
    assert served()["--backend-store-uri"] == f"sqlite:///{REPOSITORY}/mlflow/mlflow.db"
    assert served(STORE="team.db")["--backend-store-uri"] == f"sqlite:///{REPOSITORY}/mlflow/team.db"
    options = served(STORE=f"{tmp_path}/far/team.db")
    assert options["--backend-store-uri"] == f"sqlite:///{tmp_path}/far/team.db"
    assert options["--artifacts-destination"] == f"{tmp_path}/far/artifacts"
