"""Every job is held against its data before the first one runs."""

from pathlib import Path

import pytest
from tests.config.test_command_line import read
from tests.messages import says

from experiments import launch


def test_what_cannot_be_is_found_before_the_first_job(tmp_path: Path) -> None:
    request = read("cluster.k=10,5000", "backbone=pixels", f"cache.root={tmp_path}")
    with pytest.raises(ValueError) as error:
        launch.check(request)
    says(error, key="cluster.k=5000", use="cluster.k<=1797")
