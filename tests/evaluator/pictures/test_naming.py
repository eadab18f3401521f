"""Names of figures are valid file names on every operating system."""

import pytest
from tests.messages import says

from experiments.evaluator.pictures.naming import check_name


@pytest.mark.parametrize("name", ["cluster_sizes", "a", "v1.2-final", "3d"])
def test_simple_names_are_valid_and_can_be_written(name, tmp_path):
    check_name("evaluator.sizes.file", name)
    (tmp_path / f"{name}.png").touch()
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.png"]


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../up", "a/b", "a\\b", ".hidden", "über", "a b", "a:b", "a\n"]
)
def test_names_that_leave_the_folder_or_cannot_be_written_are_refused(name):
    with pytest.raises(ValueError) as error:
        check_name("evaluator.sizes.file", name)
    says(error, key=f"evaluator.sizes.file={' '.join(name.split())}", use="evaluator.sizes.file=clusters")
