"""scripts/export.py on a recorded run."""

from pathlib import Path

from tests.messages import says
from tests.project import Project
from tests.scripts.test_assign import best


def test_the_best_jobs_clusters_become_folders(project: Project, tmp_path: Path) -> None:
    sweep, job = best(project)
    done = project.script("export", sweep, "out", f"cache.root={project.root}/cache", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out" / "data").glob("cluster_?/*.png"))) == 1797
    says(done.stdout, key="1797 rows in 10 clusters", use="0 noise")
    again = project.script("export", job, "out", cwd=tmp_path)
    assert again.returncode == 1
    assert len(again.stderr.splitlines()) == 1
    says(again.stderr, key="FOLDER=out", use="use a new folder")
