"""The log of corrections: matching of lines to images, and lines of killed processes."""

import logging
import multiprocessing
import os
import signal
import threading
import unicodedata

import numpy as np
import pytest
from tests.forked import forked
from tests.messages import says

from experiments.dataset.labels import correction_log as log_of
from experiments.dataset.labels.apply_corrections import apply_corrections, match_corrections
from experiments.dataset.labels.correction_log import HEADER, Correction, append_corrections, locked, read_log
from experiments.dataset.labels.joining import JoinedLabels
from experiments.dataset.selection.selection import Pool, Selection
from experiments.dataset.vectors.content import Vectors
from experiments.numerics.hashes import hash_rows

IDS, HASHES = np.array(["a", "b", "c"]), np.array(["h1", "h2", "h3"])


def correction(image, content, after, before="", run="run1"):
    return Correction("2026-01-31T12:00:00+00:00", "Ada", run, image, content, before, after)


def labels_of(corrections, ids=IDS, hashes=HASHES):
    last = match_corrections(corrections, ids, hashes).last
    return {str(ids[row]): line.after for row, line in last.items()}


def test_what_was_appended_is_read(tmp_path):
    path = tmp_path / "new" / "log.csv"
    odd = correction('it\'s, "quoted".png', "h1", "=cmd|' /C calc'!A0", "Bär; -3")
    append_corrections(path, [odd, correction("b", "h2", "-3", "'=x")])
    append_corrections(path, [correction("b", "h2", "x")])
    assert read_log(path) == [odd, correction("b", "h2", "-3", "'=x"), correction("b", "h2", "x")]
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == HEADER
    assert lines[1].endswith(",'=cmd|' /C calc'!A0")
    assert lines[2].endswith(",''=x,-3")


def test_spaces_survive_the_log(tmp_path):
    lines = [correction(" cat/0.png ", "h1", " cat", "cat "), correction("\tx", "h2", "-")]
    append_corrections(tmp_path / "log.csv", lines)
    assert read_log(tmp_path / "log.csv") == lines


def test_of_equal_images_the_one_of_that_very_id_is_meant():
    ids, hashes = np.array([" cat/0.png", "cat/0.png"]), np.array(["h", "h"])
    assert labels_of([correction(" cat/0.png", "h", "x")], ids, hashes) == {" cat/0.png": "x"}
    assert labels_of([correction("cat/0.png", "h", "x")], ids, hashes) == {"cat/0.png": "x"}


def test_ids_match_in_any_unicode_form(tmp_path, caplog):
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    ids, hashes = np.array([decomposed, "b"]), np.array(["new", "h2"])
    lines = [correction(composed, "old", composed), correction("b", "h2", "y")]
    assert labels_of(lines, ids, hashes) == {decomposed: composed, "b": "y"}
    says(caplog.text, key="1 ignoring", use="Unicode")
    append_corrections(tmp_path / "log.csv", lines)
    corrected = apply_corrections(
        JoinedLabels(np.array([0, 1]), ("x", decomposed)), tmp_path / "log.csv", ids, hashes
    )
    assert (corrected.class_names, corrected.labels.tolist()) == (("x", decomposed, "y"), [1, 2])


def test_no_line_is_ever_changed(tmp_path):
    path = tmp_path / "log.csv"
    append_corrections(path, [correction("a", "h1", "x")])
    before = path.read_bytes()
    append_corrections(path, [correction("a", "h1", "y")])
    assert path.read_bytes().startswith(before)


def add(path, name):
    for number in range(40):
        append_corrections(
            path, [Correction("", "", "", f"{name}-{number}-{part}", "h", "", "x" * 300) for part in range(3)]
        )


def test_two_processes_append_whole_batches(tmp_path):
    path = tmp_path / "log.csv"
    workers = [multiprocessing.get_context("fork").Process(target=add, args=(path, name)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    ids = [line.id for line in read_log(path)]
    assert len(set(ids)) == len(ids) == 240
    batches = [ids[row : row + 3] for row in range(0, 240, 3)]
    assert all(batch == [f"{batch[0].rpartition('-')[0]}-{part}" for part in range(3)] for batch in batches)


def killed_after(kept, path):
    """Append in a process that is killed after `kept` bytes; return its exit code."""

    def work():
        whole = os.write

        def half(number, data):
            whole(number, bytes(data)[:kept])
            os.kill(os.getpid(), signal.SIGKILL)

        os.write = half  # limits this process only
        append_corrections(
            path, [Correction("2026-02-01T12:00:00+00:00", "Bob", "run2", "b, or c", "h2", "cat", "döner")]
        )
        return 0

    return forked(work)


@pytest.mark.parametrize("kept", [1, 30, 38, 54, 58])  # in a quote, in a letter, before the end of the line
def test_the_incomplete_line_of_a_killed_process_is_always_skipped(tmp_path, caplog, kept):
    path = tmp_path / "log.csv"
    append_corrections(path, [correction("a", "h1", "x")])
    assert killed_after(kept, path) == -signal.SIGKILL
    assert not path.read_bytes().endswith(b"\n")
    with caplog.at_level(logging.WARNING):
        assert read_log(path) == [correction("a", "h1", "x")]
    says(caplog.text, key="log.csv", use="line 3")
    caplog.clear()
    append_corrections(path, [correction("c", "h3", "z")])
    with caplog.at_level(logging.WARNING):
        assert read_log(path) == [correction("a", "h1", "x"), correction("c", "h3", "z")]
    says(caplog.text, key="log.csv", use="line 3")


def test_a_process_killed_in_the_header_leaves_a_log_that_goes_on(tmp_path):
    path = tmp_path / "log.csv"
    for kept in (10, len(HEADER)):
        assert killed_after(kept, path) == -signal.SIGKILL
        assert read_log(path) == []
    append_corrections(path, [correction("a", "h1", "x")])
    append_corrections(path, [correction("b", "h2", "y")])
    assert read_log(path) == [correction("a", "h1", "x"), correction("b", "h2", "y")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("id,label\na,x\n", "line 1 is 'id,label'"),
        (HEADER + "\na,b\n", "line 2 is 'a,b'"),
        (HEADER.replace(",", ";") + "\n", f"line 1 is '{HEADER.replace(',', ';')}'"),
        (HEADER + "\n" + HEADER + "\n", f"line 2 is '{HEADER}'"),
        (HEADER + "\n,,,a,b,,Bär\n", "line 2 is ',,,a,b,,B\N{REPLACEMENT CHARACTER}r'"),
    ],
)
def test_another_file_is_no_log(tmp_path, text, line):
    path = tmp_path / "log.csv"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ValueError) as error:
        read_log(path)
    message = says(error, key=f"dataset.corrections={path}", use="scripts/labels.py apply")
    assert "UTF-8" in says(message, key=line, use=HEADER)


def test_a_missing_log_is_named(tmp_path):
    with pytest.raises(ValueError) as error:
        read_log(tmp_path / "none.csv")
    says(error, key=f"dataset.corrections={tmp_path}/none.csv", use="scripts/labels.py apply")


@pytest.mark.parametrize("label", ["x\ny", "x\r", "\u2028x"])
def test_a_line_break_is_refused_before_anything_is_written(tmp_path, label):
    with pytest.raises(ValueError) as error:
        append_corrections(tmp_path / "log.csv", [correction("a", "h1", "x"), correction("a", "h1", label)])
    says(error, key=repr(label), use="rename it")
    assert not (tmp_path / "log.csv").exists()


def test_the_last_line_about_an_image_counts():
    assert labels_of([correction("a", "h1", "x"), correction("a", "h1", "y")]) == {"a": "y"}


def test_a_renamed_file_matches_by_content():
    assert labels_of([correction("old", "h2", "x")]) == {"b": "x"}


def test_a_changed_file_matches_by_id(caplog):
    with caplog.at_level(logging.WARNING):
        assert labels_of([correction("a", "h1", "y"), correction("b", "old", "x")]) == {"a": "y", "b": "x"}
    says(caplog.text, key="1 corrected image", use=": b")


def test_corrections_of_another_data_set_with_the_same_ids_are_ignored(caplog, tmp_path):
    theirs = [correction(image, f"other{image}", "theirs", run="run2") for image in "abc"]
    ours = [correction("a", "h1", "x"), correction("b", "old", "y")]
    with caplog.at_level(logging.WARNING):
        assert labels_of([*ours, *theirs]) == {"a": "x", "b": "y"}
        assert labels_of(theirs) == {}
    says(caplog.text, key="3 corrections", use="another data set")
    append_corrections(tmp_path / "log.csv", [*ours, *theirs])
    corrected = apply_corrections(
        JoinedLabels(np.array([0, 0, 0]), ("m",)), tmp_path / "log.csv", IDS, HASHES
    )
    assert list(corrected.labels) == [1, 2, 0]
    assert corrected.unmatched[2][0] == "c"
    says(corrected.unmatched[2][1], key="log.csv", use="'theirs'")


def test_an_id_alone_matches_if_half_of_its_run_matches_by_content():
    few = [correction("a", "h1", "x"), correction("b", "old", "y"), correction("c", "older", "z")]
    assert labels_of(few) == {"a": "x"}
    assert labels_of([*few, correction("renamed", "h2", "w")]) == {"a": "x", "b": "w", "c": "z"}


def test_a_log_that_stays_locked_is_an_error(tmp_path):
    path = tmp_path / "log.csv"
    append_corrections(path, [correction("a", "h1", "x")])
    errors = []

    def wait():
        try:
            with locked(path, patience=0.1):
                pass
        except ValueError as error:
            errors.append(str(error))

    with locked(path):
        other = threading.Thread(target=wait)
        other.start()
        other.join(10)
        assert len(read_log(path)) == 1  # the holder may lock it again
    assert len(errors) == 1
    assert "0.1 s" in says(errors[0], key=str(path), use="log.csv.lock")


def test_reading_waits_for_another_process_to_write(tmp_path, caplog):
    path = tmp_path / "log.csv"
    append_corrections(path, [correction("a", "h1", "x")])
    corrected = []
    with locked(path):
        with path.open("a", encoding="utf-8") as file:
            file.write("half")
        reader = threading.Thread(target=lambda: corrected.append(read_log(path)))
        reader.start()
        reader.join(0.3)
        assert not corrected
        path.write_text(path.read_text(encoding="utf-8").removesuffix("half"), encoding="utf-8")
    reader.join()
    assert corrected == [[correction("a", "h1", "x")]]
    assert "cut off" not in caplog.text


def test_a_log_in_a_folder_that_nobody_can_write_to_is_read(tmp_path, monkeypatch):
    path = tmp_path / "log.csv"
    append_corrections(path, [correction("a", "h1", "x")])
    (tmp_path / "log.csv.lock").unlink(missing_ok=True)
    monkeypatch.setattr(log_of.os, "access", lambda *_: False)
    assert read_log(path) == [correction("a", "h1", "x")]
    assert not (tmp_path / "log.csv.lock").exists()


def test_files_that_swapped_names_keep_their_labels(caplog):
    with caplog.at_level(logging.WARNING):
        assert labels_of([correction("a", "h2", "x"), correction("b", "h1", "y")]) == {"b": "x", "a": "y"}
    assert not caplog.text


def test_of_equal_images_only_the_one_meant_is_corrected():
    ids, hashes = np.array(["a", "b"]), np.array(["h", "h"])
    assert labels_of([correction("a", "h", "x")], ids, hashes) == {"a": "x"}
    assert labels_of([correction("a", "h", "x"), correction("b", "h", "y")], ids, hashes) == {
        "a": "x",
        "b": "y",
    }
    renamed = np.array(["new", "b"])
    both = [correction("b", "h", "y"), correction("a", "h", "x")]
    assert labels_of(both, renamed, hashes) == {"new": "x", "b": "y"}


@pytest.mark.parametrize("order", [1, -1])
def test_of_conflicting_corrections_the_later_counts(order, caplog):
    lines = [correction("a", "gone", "x"), correction("gone", "h1", "y")][::order]
    with caplog.at_level(logging.WARNING):
        assert labels_of(lines) == {"a": lines[-1].after}
    says(caplog.text, key="later", use="a (")


def test_new_classes_come_last_and_what_matches_nothing_is_listed(tmp_path):
    path = tmp_path / "log.csv"
    append_corrections(
        path, [correction("b", "h2", "z"), correction("gone", "old", "x"), correction("c", "h3", "q")]
    )
    corrected = apply_corrections(JoinedLabels(np.array([0, 0, -1]), ("m", "q")), path, IDS, HASHES)
    assert corrected.class_names == ("m", "q", "z")
    assert list(corrected.labels) == [0, 2, 1]
    [(name, reason)] = corrected.unmatched
    assert name == "gone"
    says(reason, key="log.csv", use="'x'")


def test_a_log_of_another_data_set_is_an_error_where_nothing_else_has_labels(tmp_path):
    append_corrections(tmp_path / "log.csv", [correction("x", "y", "z")])
    with pytest.raises(ValueError) as error:
        apply_corrections(JoinedLabels(None, ()), tmp_path / "log.csv", IDS, HASHES)
    assert "3 samples" in says(
        error, key=f"dataset.corrections={tmp_path}/log.csv", use="the log of this data set"
    )


@pytest.mark.parametrize("unlabelled", ["keep", "drop"])
def test_a_data_set_takes_them_and_drops_what_has_no_label_if_asked(selection, tmp_path, unlabelled):
    path = tmp_path / "log.csv"
    values = np.eye(3, dtype=np.float32)
    hashes = hash_rows(values)
    append_corrections(path, [correction("a", hashes[0], "x"), correction("b", hashes[1], "y")])
    chosen = {"corrections": str(path), "split": {"train": 1.0}, "unlabelled": unlabelled}
    stage = Selection(**(selection | chosen))
    content = Vectors(values, hashes)
    samples = stage.samples(Pool("", IDS, content))
    kept = unlabelled == "keep"
    assert (list(samples.ids), list(samples.labels)) == (
        (["a", "b", "c"], [0, 1, -1]) if kept else (["a", "b"], [0, 1])
    )
    assert samples.class_names == ("x", "y")
    assert samples.skipped == (() if kept else (("c", "no label"),))
    own = stage.samples(Pool("", IDS, content, np.array([0, 0, 0]), ("y",)))
    assert (list(own.labels), own.class_names, own.skipped) == ([1, 0, 0], ("y", "x"), ())


def test_the_numbers_of_added_changed_and_confirmed_labels_are_logged(tmp_path, caplog):
    hashes = hash_rows(np.eye(3, dtype=np.float32))
    lines = [correction(name, digest, after) for name, digest, after in zip(IDS, hashes, "xyx", strict=True)]
    append_corrections(tmp_path / "log.csv", lines)
    with caplog.at_level(logging.INFO):
        apply_corrections(JoinedLabels(np.array([-1, 0, 0]), ("x",)), tmp_path / "log.csv", IDS, hashes)
    says(caplog.text, key="log.csv: of 3", use="1 changed, 1 confirmed")


def test_a_label_that_was_withdrawn_is_none(tmp_path):
    path = tmp_path / "log.csv"
    append_corrections(
        path, [correction("a", "h1", "new"), correction("a", "h1", "", "new"), correction("c", "h3", "")]
    )
    assert read_log(path)[1].after == ""
    corrected = apply_corrections(JoinedLabels(np.array([-1, 0, 1]), ("m", "q")), path, IDS, HASHES)
    assert (corrected.labels.tolist(), corrected.class_names) == ([-1, 0, -1], ("m", "q"))
    with pytest.raises(ValueError) as error:
        apply_corrections(JoinedLabels(None, ()), path, IDS, HASHES)
    says(error, key=f"dataset.corrections={path}", use="the log of this data set")
