"""scripts/export.py as a person types it."""

from pathlib import Path

import pytest
from tests.project import Project
from tests.scripts.test_assign import best, script

pytestmark = pytest.mark.process


def test_the_best_jobs_clusters_become_folders(project: Project, tmp_path: Path) -> None:
    sweep, job = best(project)
    done = script(project, "export", sweep, "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out" / "data").glob("cluster_?/*.png"))) == 1797
    assert "1797 rows in 10 clusters, 0 noise" in done.stdout
    again = script(project, "export", job, "out", cwd=tmp_path)
    assert again.returncode == 1
    assert again.stderr.strip() == "FOLDER=out is there already and not empty; name a new one"
