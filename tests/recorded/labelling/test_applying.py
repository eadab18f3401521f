"""Apply corrections: from the table to the log, to a run, and to later runs on the same images."""

import json
import re
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.messages import says
from tests.project import artifacts
from tests.studies import study_e

from experiments import tracking
from experiments.dataset.labels.correction_log import read_log
from experiments.recorded.labelling import applying
from experiments.recorded.labelling.applying import Applied, apply
from experiments.recorded.labelling.clustered import ClusteredSamples
from experiments.recorded.labelling.template import doubtful, template, write

pytestmark = pytest.mark.slow

WRONG = {"day/17.png": "night", "night/16.png": "day"}


def write_edited(clustered: ClusteredSamples, path: Path, labels: dict[str, str]) -> Path:
    """Write the template with these applied labels."""
    rows = template(clustered, clustered.log()[1])
    rows["applied_label"] = [
        labels.get(name, old) for name, old in rows[["image_id", "applied_label"]].values
    ]
    write(rows, path)
    return path


def correct(clustered: ClusteredSamples, path: Path, labels: dict[str, str]) -> Applied:
    return apply(clustered, write_edited(clustered, path, labels), "Ada")


def labels_of(clustered: ClusteredSamples) -> dict[str, str]:
    return dict(zip(clustered.table["id"], clustered.table["label"], strict=True))


def test_applying_records_a_run_with_metrics_before_and_after(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path
) -> None:
    first = of_photos()
    done = correct(first, tmp_path / "edit.csv", WRONG)
    recorded = tracking.query(first.run.uri, lambda client: client.get_run(done.run_id))
    assert recorded.info.run_name == "labels of first"
    assert recorded.info.status == "FINISHED"
    assert recorded.data.tags["corrects"] == recorded.data.tags["mlflow.parentRunId"] == first.run.id
    assert recorded.data.params["who"] == "Ada"
    metrics = recorded.data.metrics
    before = first.run.info.data.metrics
    assert {
        name: metrics[f"{name}_before"] for name in ("ari", "nmi", "ami", "purity", "acc")
    } == pytest.approx({name: before[name] for name in ("ari", "nmi", "ami", "purity", "acc")})
    assert (metrics["purity_before"], metrics["purity"], metrics["ari"]) == pytest.approx((16 / 18, 1, 1))
    assert metrics["labels_changed"] == 2
    assert artifacts(recorded) == {
        "changes.csv", "cluster_label_crosstab_before.csv", "cluster_label_crosstab_after.csv",
        "image_labels_applied.csv", "label_changes.md",
    }  # fmt: skip
    assert "- 1 x day -> night" in recorded.data.tags["mlflow.note.content"]
    changes = pd.read_csv(done.folder / "changes.csv").set_index("image_id")
    assert changes["to"].to_dict() == WRONG
    after = pd.read_csv(done.folder / "cluster_label_crosstab_after.csv").set_index("cluster")
    assert sorted(after.loc[["0", "1"], ["day", "night"]].to_numpy().tolist()) == [[0, 9], [9, 0]]
    applied = pd.read_csv(done.folder / "image_labels_applied.csv").set_index("image_id")["applied_label"]
    assert applied.to_dict() == labels_of(first) | WRONG


def test_the_log_records_who_when_from_and_to(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path
) -> None:
    first = of_photos()
    log = correct(first, tmp_path / "edit.csv", WRONG).log
    assert log == tmp_path / "corrections" / "photos.csv"
    lines = {entry.id: entry for entry in read_log(log)}
    assert {name: entry.after for name, entry in lines.items()} == WRONG
    correction = lines["day/17.png"]
    assert (correction.who, correction.run_id, correction.before) == ("Ada", first.run.id, "day")
    assert correction.when.endswith("+00:00")
    assert correction.hash == first.table.set_index("id")["hash"]["day/17.png"]


def test_the_same_file_again_changes_nothing(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path
) -> None:
    first = of_photos()
    path = write_edited(first, tmp_path / "edit.csv", WRONG)
    log = apply(first, path, "Ada").log
    text, outputs = log.read_text(encoding="utf-8"), list(tmp_path.glob("outputs/*/*"))
    again = apply(first, path, "Bob")
    assert (len(again.changes), again.labelled_rows, again.run_id) == (0, 2, "")
    assert (log.read_text(encoding="utf-8"), list(tmp_path.glob("outputs/*/*"))) == (text, outputs)


def test_a_correction_can_be_reversed(of_photos: Callable[..., ClusteredSamples], tmp_path: Path) -> None:
    first = of_photos()
    correct(first, tmp_path / "edit.csv", WRONG)
    back = correct(first, tmp_path / "back.csv", {"day/17.png": "day"})
    assert back.changes[["from", "to"]].to_numpy().tolist() == [["night", "day"]]
    assert back.metrics["purity_before"] == 1
    assert [entry.after for entry in read_log(back.log)][-1] == "day"


def test_a_confirmed_label_is_no_longer_doubtful(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path
) -> None:
    first = of_photos()
    assert doubtful(template(first, [])).sum() == 2
    done = correct(first, tmp_path / "edit.csv", {"day/17.png": "day", "night/16.png": "day"})
    assert (len(done.changes), done.confirmed, done.metrics["labels_confirmed"]) == (1, 1, 1)
    lines = {entry.id: (entry.before, entry.after) for entry in read_log(done.log)}
    assert lines == {"day/17.png": ("day", "day"), "night/16.png": ("night", "day")}
    assert doubtful(template(first, first.log()[1])).sum() == 0
    assert doubtful(template(of_photos("cluster.k=2", "seed=3"), first.log()[1])).sum() == 0
    says(
        (done.folder / "label_changes.md").read_text(encoding="utf-8"),
        key="1 label changed",
        use="1 confirmed",
    )
    again = apply(first, tmp_path / "edit.csv", "Ada")
    assert (again.confirmed, again.folder, len(read_log(done.log))) == (0, None, 2)


def test_confirmations_alone_are_recorded(of_photos: Callable[..., ClusteredSamples], tmp_path: Path) -> None:
    done = correct(of_photos(), tmp_path / "edit.csv", {"day/17.png": "day"})
    assert (len(done.changes), done.confirmed, bool(done.run_id)) == (0, 1, True)
    assert done.metrics["purity"] == done.metrics["purity_before"]


def test_an_old_table_does_not_undo_newer_corrections(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path
) -> None:
    first = of_photos()
    correct(first, tmp_path / "first.csv", WRONG)
    old = write_edited(
        first, tmp_path / "old.csv", {"day/00.png": "night"}
    )  # day/17.png is filled in as night
    apply(first, write_edited(first, tmp_path / "new.csv", {"day/17.png": "dusk"}), "Bob")
    done = apply(first, old, "Ada")
    assert done.changes[["image_id", "to"]].to_numpy().tolist() == [["day/00.png", "night"]]
    (message,) = done.stale
    row = pd.read_csv(old)["image_id"].tolist().index("day/17.png") + 2
    says(message, key=f"line {row}: day/17.png", use="'dusk' by Bob of 20")
    says(message, use="newer than 'night'")
    assert dict(zip(first.ids, first.applied(first.log()[1]), strict=True))["day/17.png"] == "dusk"
    assert done.new == {}  # a stale label is not new
    meant = apply(first, old, "Ada", accept_old=True)
    assert meant.changes[["from", "to"]].to_numpy().tolist() == [["dusk", "night"]]


def test_an_emptied_label_has_the_old_label_suggested(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path
) -> None:
    first = of_photos()
    correct(first, tmp_path / "edit.csv", WRONG)
    done = correct(first, tmp_path / "emptied.csv", {"day/17.png": ""})
    row = pd.read_csv(tmp_path / "emptied.csv")["image_id"].tolist().index("day/17.png") + 2
    (message,) = done.emptied
    says(message, key=f"line {row}: day/17.png", use="'night' by Ada of 20")
    says(message, key="day/17.png", use="write the old label, 'day'")
    assert (done.folder, len(read_log(done.log))) == (None, 2)


def test_an_emptied_confirmation_needs_no_message(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path
) -> None:
    first = of_photos()
    correct(first, tmp_path / "edit.csv", {"day/17.png": "day", "night/16.png": "day"})
    done = correct(first, tmp_path / "emptied.csv", {"day/17.png": "", "night/16.png": ""})
    assert [message.partition(": ")[2].partition(" ")[0] for message in done.emptied] == ["night/16.png"]


def test_a_correction_can_be_removed_and_repeated(
    of_photos: Callable[..., ClusteredSamples], photos: Path, tmp_path: Path
) -> None:
    flat, evaluator = photos / "day", "evaluator=[internal]"
    first = of_photos(evaluator, root=flat)
    done = correct(first, tmp_path / "edit.csv", {"00.png": "bright", "17.png": "dim"})
    assert re.findall(r"\d+", done.scored_images_note) == ["0", "2"]
    assert done.scored_images_note in (done.folder / "label_changes.md").read_text(encoding="utf-8")
    (message,) = correct(first, tmp_path / "emptied.csv", {"17.png": ""}).emptied
    says(message, key="17.png", use="write -")
    removed = correct(first, tmp_path / "back.csv", {"17.png": "-", "02.png": "-"})  # the second has none
    assert removed.changes[["image_id", "from", "to"]].to_numpy().tolist() == [["17.png", "dim", ""]]
    assert (removed.metrics["labelled_before"], removed.metrics["labelled"], removed.unlabelled) == (2, 1, 8)
    assert "- 1 x dim -> (none)" in (removed.folder / "label_changes.md").read_text(encoding="utf-8")
    assert read_log(removed.log)[-1].after == ""
    rows = template(first, first.log()[1]).set_index("image_id")["applied_label"]
    assert (rows["00.png"], rows["17.png"], rows["02.png"]) == ("bright", "-", "")
    again = correct(first, tmp_path / "same.csv", {})  # table and log both have "-"
    assert (again.folder, again.emptied) == (None, ())
    keep = "dataset.unlabelled=keep"
    later = labels_of(of_photos(evaluator, keep, f"dataset.corrections={removed.log}", root=flat))
    assert {name for name, label in later.items() if label} == {"00.png"}
    (old,) = apply(first, tmp_path / "edit.csv", "Ada").stale
    says(old, key="17.png", use="without a label by Ada of 20")
    back = apply(first, tmp_path / "edit.csv", "Ada", accept_old=True)
    assert back.changes[["from", "to"]].to_numpy().tolist() == [["", "dim"]]


def test_a_label_of_the_data_set_can_be_removed(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path
) -> None:
    done = correct(of_photos(), tmp_path / "edit.csv", {"day/17.png": "-"})
    assert done.changes[["from", "to"]].to_numpy().tolist() == [["day", ""]]
    assert re.findall(r"\d+", done.scored_images_note) == ["18", "17"]
    keep = "dataset.unlabelled=keep"
    later = labels_of(of_photos(keep, f"dataset.corrections={done.log}"))
    assert [name for name, label in later.items() if not label] == ["day/17.png"]
    dropped = labels_of(of_photos("dataset.unlabelled=drop", f"dataset.corrections={done.log}"))
    assert set(later) - set(dropped) == {"day/17.png"}


def test_metrics_of_the_same_images_need_no_note(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path
) -> None:
    assert correct(of_photos(), tmp_path / "edit.csv", WRONG).scored_images_note == ""


def test_of_two_processes_the_second_sees_the_firsts_corrections(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = of_photos()
    files = [
        write_edited(first, tmp_path / f"{name}.csv", {"day/17.png": name}) for name in ("dusk", "night")
    ]
    meeting, write_folder = threading.Barrier(2), applying._write_files

    def wait_for_the_other(*args: Any) -> None:
        with suppress(threading.BrokenBarrierError):
            meeting.wait(timeout=0.5)  # reached by both only without a lock
        write_folder(*args)

    monkeypatch.setattr(applying, "_write_files", wait_for_the_other)
    monkeypatch.setattr(applying, "_record_run", lambda run, applied, *_: applied)
    threads = [threading.Thread(target=apply, args=(first, path, "Ada")) for path in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first_entry, second_entry = read_log(first.log()[0])
    assert (first_entry.before, second_entry.before) == ("day", first_entry.after)
    assert {first_entry.after, second_entry.after} == {"dusk", "night"}


def test_nothing_is_written_if_the_log_cannot_be(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = of_photos()
    path = write_edited(first, tmp_path / "edit.csv", WRONG)
    with pytest.raises(ValueError, match="line break"):
        apply(first, path, "A\nda")
    assert not list(tmp_path.glob("outputs/*/*"))

    def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(applying, "append_corrections", full)
    with pytest.raises(OSError, match="no space left"):
        apply(first, path, "Ada")
    assert not list(tmp_path.glob("outputs/*/*"))
    assert not first.log()[0].exists()


def test_folders_of_one_name_share_a_log_but_no_labels(
    of_photos: Callable[..., ClusteredSamples], photos: Path, tmp_path: Path
) -> None:
    log = correct(of_photos(), tmp_path / "edit.csv", WRONG).log
    other = tmp_path / "elsewhere" / "photos"
    for path in sorted(photos.glob("*/*.png")):  # the same names with other pixels
        (other / path.parent.name).mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            image.rotate(90).save(other / path.relative_to(photos))
    second = of_photos(root=other)
    assert second.log()[0] == log
    assert set(template(second, second.log()[1])["applied_label"]) == {""}
    assert labels_of(of_photos(f"dataset.corrections={log}", root=other)) == labels_of(second)
    correct(second, tmp_path / "other.csv", {"day/00.png": "dawn"})
    first = labels_of(of_photos(f"dataset.corrections={log}"))
    assert (first["day/00.png"], first["day/17.png"]) == ("day", "night")


@pytest.mark.parametrize("dataset", ["table", "embeddings"])
def test_tables_of_one_name_and_equal_ids_share_no_labels(
    run: Callable[..., ClusteredSamples], tmp_path: Path, dataset: str
) -> None:
    runs = []
    for number, folder in enumerate("ab"):
        values = np.random.default_rng(number).normal(size=(12, 3)) + np.repeat([[0], [9]], 6, axis=0)
        (tmp_path / folder).mkdir()
        rows = pd.DataFrame(values, columns=["d0", "d1", "d2"])
        rows.insert(0, "image_id", range(1, 13))
        rows.to_csv(tmp_path / folder / "rows.csv", index=False)
        data = [f"dataset={dataset}", f"dataset.path={tmp_path / folder}/rows.csv", "reducer=identity"]
        runs.append(run(*data, "cluster.k=2", "evaluator=[internal]"))
    first, second = runs
    done = correct(first, tmp_path / "edit.csv", {"1": "low", "7": "high"})
    assert second.log()[0] == done.log
    assert set(template(second, second.log()[1])["applied_label"]) == {""}
    assert sorted(set(template(first, first.log()[1])["applied_label"])) == ["", "high", "low"]
    assert done.unlabelled == 10


def test_a_table_with_mistakes_changes_nothing(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path
) -> None:
    first = of_photos()
    with pytest.raises(ValueError) as error:
        correct(first, tmp_path / "edit.csv", WRONG | {"day/00.png": "nihgt"})
    says(error, key="'nihgt'", use="'night'?")
    assert not first.log()[0].exists()
    assert not list(tmp_path.glob("outputs/*"))


@pytest.mark.parametrize("another", [["cluster.k=3"], ["reducer=pca", "reducer.n_components=2", "seed=1"]])
def test_corrections_survive_other_clusterings_and_renamed_and_changed_files(
    of_photos: Callable[..., ClusteredSamples], photos: Path, tmp_path: Path, another: list[str]
) -> None:
    log = correct(of_photos(), tmp_path / "edit.csv", WRONG | {"day/00.png": "dawn"}).log
    (photos / "day" / "17.png").rename(photos / "day" / "a new name.png")
    shutil.copy(photos / "night" / "01.png", photos / "night" / "16.png")  # its content changes
    later = of_photos(f"dataset.corrections={log}", *another)
    labels = labels_of(later)
    assert (labels["day/a new name.png"], labels["night/16.png"]) == ("night", "day")
    assert labels["day/00.png"] == "dawn"
    assert labels["day/02.png"] == "day"
    rows = template(later, later.log()[1]).set_index("image_id")
    assert rows["applied_label"]["day/a new name.png"] == "night"


def test_unlabelled_images_get_labels_from_corrections(
    of_photos: Callable[..., ClusteredSamples], photos: Path, tmp_path: Path
) -> None:
    flat, evaluator = photos / "day", "evaluator=[internal]"
    first = of_photos(evaluator, root=flat)
    assert set(first.table["label"]) == {""}
    labels = {f"{number:02}.png": "bright" for number in range(0, 16, 2)}
    done = correct(first, tmp_path / "edit.csv", labels | {"17.png": "dim"})
    assert done.metrics["labelled_before"] == 0
    assert "ari_before" not in done.metrics
    assert done.metrics["ari"] == pytest.approx(1)
    assert set(done.new) == {"bright", "dim"}
    (flat / "02.png").rename(flat / "new.png")
    correct(first, tmp_path / "back.csv", {"04.png": "dusk"})
    whole = ["dataset.split.train=1", "dataset.split.validation=0"]
    later = of_photos(evaluator, f"dataset.corrections={done.log}", *whole, root=flat)
    moved = {"new.png": labels.pop("02.png")}
    assert labels_of(later) == labels | moved | {"04.png": "dusk", "17.png": "dim"}


def test_a_run_of_corrected_labels_refers_to_the_corrected_run(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path
) -> None:
    first = of_photos()
    done = correct(first, tmp_path / "edit.csv", WRONG)
    assert ClusteredSamples.of(first.run.uri, done.run_id).run.id == first.run.id


def test_a_label_that_is_a_formula_is_escaped(
    of_photos: Callable[..., ClusteredSamples], tmp_path: Path
) -> None:
    first, formula = of_photos(), "=cmd|' /C calc'!A0"
    done = correct(first, tmp_path / "edit.csv", {"day/00.png": formula})
    assert read_log(done.log)[0].after == formula
    for path in [*done.folder.glob("*.csv"), done.log]:
        cells = [cell for line in path.read_text(encoding="utf-8").splitlines() for cell in line.split(",")]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))], path
    later = of_photos(f"dataset.corrections={done.log}")
    assert labels_of(later)["day/00.png"] == formula
    csv = next((tmp_path / "run").glob("skipped_files.csv"))
    assert csv.read_text(encoding="utf-8").startswith("id,reason")


def test_study_e_is_labelled_corrected_and_scored_again(
    run: Callable[..., ClusteredSamples], tmp_path: Path
) -> None:
    table, labels = study_e.write(tmp_path)
    data = ["dataset=table", f"dataset.path={table}", f"dataset.labels={{path: {labels}, match: digits}}"]
    evaluator = ["cluster=sklearn_kmeans", "evaluator=[external]"]
    first = run(*data, *evaluator, "cluster.k=5")
    assert len(first.table) == 152
    unmatched = pd.read_csv(tmp_path / "run" / "unmatched_labels.csv")
    assert list(unmatched["id"]) == ["img_033.jpg", "img_071.jpg"]
    profile = json.loads(first.run.info.inputs.dataset_inputs[0].dataset.profile)
    assert (profile["rows"], profile["unmatched"], profile["tags"]) == (152, 2, 12)
    rows = template(first, [])
    doubts = rows[rows["current_label"] != rows["suggestion"]]
    assert list(doubts.index) == list(range(len(doubts)))
    agreed = dict(zip(doubts["image_id"], doubts["suggestion"], strict=True))
    done = correct(first, tmp_path / "label_overrides_template.csv", agreed)
    assert len(done.changes) == len(agreed) > 0
    assert done.metrics["purity"] == 1
    assert done.metrics["ari"] > done.metrics["ari_before"]
    later = run(*data, *evaluator, "cluster.k=4", f"dataset.corrections={done.log}")
    assert labels_of(later) == labels_of(first) | agreed
