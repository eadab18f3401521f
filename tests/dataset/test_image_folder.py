"""Image folders: classes, files that are left out, and reuse from the cache."""

import errno
import os
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.messages import says

from experiments.dataset.images import listing
from experiments.dataset.images import scan as module
from experiments.samples import SPLITS, Resize


def test_folders_are_the_classes(two_classes, image_folder, ctx):
    samples = image_folder(two_classes).load(ctx)
    assert samples.class_names == ("cats", "dogs")
    assert list(samples.ids) == sorted(f"{('cats', 'dogs')[seed % 2]}/{seed}.png" for seed in range(10))
    np.testing.assert_array_equal(samples.labels, np.repeat([0, 1], 5))
    assert (samples.name, samples.source, samples.skipped) == ("pets", str(two_classes), ())
    assert list(np.bincount(samples.split, minlength=len(SPLITS))) == [8, 2, 0]


def test_a_flat_folder_has_no_labels(tmp_path, draw, image_folder, ctx):
    for seed in range(5):
        draw(tmp_path / "flat" / f"{seed}.png", seed)
    samples = image_folder(tmp_path / "flat").load(ctx)
    assert samples.labels is None
    assert samples.class_names == ()
    assert len(samples.rows("validation")) == 1


@pytest.mark.parametrize("extension", ["jpg", "JPEG", "png", "bmp", "gif", "WebP", "tif", "TIFF"])
def test_every_extension_is_read_in_any_case(tmp_path, draw, image_folder, ctx, extension):
    for seed in range(2):
        draw(tmp_path / "all" / f"{seed}.{extension}", seed)
    assert len(image_folder(tmp_path / "all").load(ctx)) == 2


def test_a_zip_gives_what_its_folder_gives(two_classes, image_folder, ctx, tmp_path):
    shutil.make_archive(str(tmp_path / "pets_v2"), "zip", two_classes.parent, "pets")
    (folder, archive) = image_folder(two_classes), image_folder(tmp_path / "pets_v2.zip")
    assert archive.load(ctx).data_key == folder.load(ctx).data_key
    assert archive.load(ctx).name == "pets_v2"
    assert archive.count() == folder.count() == 10


def test_counting_unpacks_nothing(two_classes, image_folder, store, tmp_path):
    shutil.make_archive(str(tmp_path / "pets"), "gztar", two_classes)
    assert image_folder(tmp_path / "pets.tar.gz").count() == 10
    assert image_folder(tmp_path / "pets.tar.gz", limit=4).count() == 4
    assert not store.computed


def test_hidden_folders_are_no_classes(two_classes, draw, image_folder, ctx):
    draw(two_classes / ".thumbs" / "1.png", 1)
    draw(two_classes / "__MACOSX" / "1.png", 1)
    draw(two_classes / "cats" / "._0.png", 1)
    samples = image_folder(two_classes).load(ctx)
    assert (len(samples), samples.class_names, samples.skipped) == (10, ("cats", "dogs"), ())


def test_images_next_to_class_folders_have_no_class(two_classes, draw, image_folder, ctx):
    draw(two_classes / "preview.png", 50)
    samples = image_folder(two_classes).load(ctx)
    assert len(samples) == 10
    assert samples.skipped == (("preview.png", "next to the class folders"),)


def test_one_folder_next_to_images_is_not_a_class(tmp_path, draw, image_folder, ctx):
    for seed in range(3):
        draw(tmp_path / "flat" / f"{seed}.png", seed)
    draw(tmp_path / "flat" / "edited" / "3.png", 3)
    samples = image_folder(tmp_path / "flat").load(ctx)
    assert (len(samples), samples.labels) == (4, None)


@pytest.mark.parametrize("top", ["", "photos/"])
def test_a_class_in_a_foreign_format_leaves_the_other_a_class(tmp_path, draw, image_folder, ctx, caplog, top):
    for seed in range(4):
        draw(tmp_path / "pets" / top / "cats" / f"{seed}.png", seed)
    (tmp_path / "pets" / top / "dogs").mkdir()
    (tmp_path / "pets" / top / "dogs" / "1.dng").write_bytes(b"...")
    samples = image_folder(tmp_path / "pets").load(ctx)
    assert samples.class_names == ("cats",)
    assert list(samples.ids) == [f"cats/{seed}.png" for seed in range(4)]
    assert list(samples.labels) == [0] * 4
    [(name, reason)] = samples.skipped
    assert name == "dogs/1.dng"
    says(reason, key="DNG", use="JPEG or PNG")
    says(caplog.text, key="left out", use="dogs")


def test_a_class_that_cannot_be_read_is_named(two_classes, image_folder, ctx, caplog):
    (two_classes / "emus").mkdir()
    (two_classes / "emus" / "1.heic").write_bytes(b"...")
    (two_classes / "fish").mkdir()
    (two_classes / "fish" / "1.png").write_bytes(b"")
    assert image_folder(two_classes).load(ctx).class_names == ("cats", "dogs")
    says(caplog.text, key="emus, fish")


def test_a_foreign_file_next_to_the_only_folder_changes_nothing(two_classes, image_folder, ctx, caplog):
    (two_classes.parent / "top").mkdir()
    two_classes.rename(two_classes.parent / "top" / "pets")
    (two_classes.parent / "top" / "about").mkdir()
    (two_classes.parent / "top" / "about" / "logo.svg").write_text("<svg/>", encoding="utf-8")
    samples = image_folder(two_classes.parent / "top").load(ctx)
    assert (samples.class_names, len(samples)) == (("cats", "dogs"), 10)
    says(caplog.text, key="left out", use="see")
    assert "about" not in caplog.text


@pytest.mark.parametrize("edited", [False, True])
def test_a_folder_of_raw_files_next_to_images_is_not_a_class(tmp_path, draw, image_folder, ctx, edited):
    for seed in range(3):
        draw(tmp_path / "flat" / f"{seed}.png", seed)
    if edited:
        draw(tmp_path / "flat" / "edited" / "3.png", 3)
    (tmp_path / "flat" / "raw").mkdir()
    (tmp_path / "flat" / "raw" / "0.cr2").write_bytes(b"...")
    samples = image_folder(tmp_path / "flat").load(ctx)
    assert (len(samples), samples.labels, len(samples.skipped)) == (3 + edited, None, 1)


def test_folders_inside_a_class_belong_to_it(two_classes, draw, image_folder, ctx):
    draw(two_classes / "cats" / "indoors" / "deep" / "1.png", 60)
    samples = image_folder(two_classes).load(ctx)
    assert samples.labels[list(samples.ids).index("cats/indoors/deep/1.png")] == 0


def test_folders_that_look_like_a_split_are_pointed_out(two_classes, image_folder, ctx, caplog):
    image_folder(two_classes).load(ctx)
    assert "split" not in caplog.text
    (two_classes / "cats").rename(two_classes / "Train")
    (two_classes / "dogs").rename(two_classes / "val")
    image_folder(two_classes).load(ctx)
    says(caplog.text, key="Train, val", use="split")


def spoil(root):
    """Add a file of each unreadable kind to cats; return the expected reasons."""
    good = (root / "cats" / "0.png").read_bytes()
    (root / "cats" / "empty.jpg").write_bytes(b"")
    (root / "cats" / "corrupt.png").write_bytes(good[:60] + b"\0" * 20 + good[80:])
    (root / "cats" / "truncated.png").write_bytes(good[: len(good) // 2])
    (root / "cats" / "text.jpg").write_text("no image", encoding="utf-8")
    (root / "cats" / "phone.jpg").write_bytes(b"\0\0\0\x18ftypheic" + good)
    (root / "cats" / "notes.txt").write_text("no image", encoding="utf-8")
    return {
        "cats/empty.jpg": "empty file",
        "cats/corrupt.png": "cannot be decoded",
        "cats/truncated.png": "cannot be decoded",
        "cats/text.jpg": "cannot be decoded: cannot identify image file",
        "cats/phone.jpg": "cannot be decoded",
        "cats/notes.txt": "not an image",
    }


def test_unreadable_files_are_left_out_with_a_reason(two_classes, image_folder, ctx):
    expected = spoil(two_classes)
    samples = image_folder(two_classes).load(ctx)
    assert len(samples) == 10
    assert {path: reason[: len(expected[path])] for path, reason in samples.skipped} == expected


def test_a_few_strange_images_among_300_are_read(tmp_path, draw, image_folder, ctx):
    root = tmp_path / "flat"
    for seed in range(295):
        draw(root / f"{seed:03}.jpg", seed)
    (root / "corrupt.jpg").write_bytes((root / "000.jpg").read_bytes()[:200])
    (root / "empty.jpg").write_bytes(b"")
    Image.new("CMYK", (12, 12), (255, 0, 0, 0)).save(root / "cmyk.jpg")
    Image.fromarray(np.full((12, 12), 25700, np.uint16)).save(root / "deep.png")
    exif = Image.Exif()
    exif[0x0112] = 3
    half = np.repeat(np.array([[[0] * 3, [255] * 3]], np.uint8).repeat(6, axis=1), 12, axis=0)
    Image.fromarray(half).save(root / "upside_down.png", exif=exif)
    samples = image_folder(root).load(ctx)
    pixels = dict(zip(samples.ids, samples.content.pixels(Resize(12), ctx), strict=True))
    assert len(samples) == 298
    np.testing.assert_allclose(pixels["cmyk.jpg"][6, 6], (0, 255, 255), atol=3)
    np.testing.assert_array_equal(pixels["deep.png"][6, 6], (100, 100, 100))
    np.testing.assert_array_equal(pixels["upside_down.png"][6, [0, 11], 0], (255, 0))


def test_too_many_unreadable_files_stop_and_name_the_first(two_classes, image_folder, ctx):
    for number in range(6):
        (two_classes / "dogs" / f"bad{number}.jpg").write_bytes(b"")
    with pytest.raises(ValueError) as error:
        image_folder(two_classes).load(ctx)
    text = says(error, key="dataset.max_unreadable=0.01", use="dataset.max_unreadable=0.38")
    says(text, key=f"dataset.root={two_classes}", use="(dogs/bad0.jpg: empty file")


def test_five_unreadable_files_never_stop(two_classes, image_folder, ctx):
    for number in range(5):
        (two_classes / "dogs" / f"bad{number}.jpg").write_bytes(b"")
    assert len(image_folder(two_classes).load(ctx).skipped) == 5


def test_a_missing_folder_is_named(tmp_path, image_folder, ctx):
    for ask in (
        image_folder(tmp_path / "nowhere").count,
        lambda: image_folder(tmp_path / "nowhere").load(ctx),
    ):
        with pytest.raises(ValueError) as error:
            ask()
        says(error, key=f"dataset.root={tmp_path}/nowhere", use="a folder of images")


def test_the_error_of_a_folder_without_images_names_a_file(tmp_path, image_folder, ctx):
    (tmp_path / "notes").mkdir()
    with pytest.raises(ValueError) as error:
        image_folder(tmp_path / "notes").load(ctx)
    says(error, key=f"dataset.root={tmp_path}/notes", use="a folder of images")
    (tmp_path / "notes" / "a.txt").write_text("", encoding="utf-8")
    with pytest.raises(ValueError) as error:
        image_folder(tmp_path / "notes").load(ctx)
    says(error, key="1 files such as a.txt", use="a folder of images")


def test_a_zip_with_dots_in_its_names_unpacks_nothing(tmp_path, image_folder, ctx):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("../evil.png", b"")
    with pytest.raises(ValueError) as error:
        image_folder(tmp_path / "x.zip").load(ctx)
    says(error, key="'../evil.png'", use="a source that you trust")


def test_a_second_load_opens_no_image(two_classes, image_folder, ctx, monkeypatch):
    first = image_folder(two_classes).load(ctx)
    monkeypatch.setattr(
        "experiments.dataset.images.scan._read", lambda path: pytest.fail(f"{path} was opened")
    )
    assert image_folder(two_classes).load(ctx).data_key == first.data_key


def test_a_changed_image_is_noticed(two_classes, draw, image_folder, ctx):
    first = image_folder(two_classes).load(ctx)
    draw(two_classes / "cats" / "0.png", 99)
    second = image_folder(two_classes).load(ctx)
    assert second.content_key != first.content_key
    assert (second.content.hashes != first.content.hashes).sum() == 1


def test_an_image_replaced_by_one_of_equal_size_and_time_is_noticed(two_classes, draw, image_folder, ctx):
    path = draw(two_classes / "cats" / "0.bmp", 0)
    before = path.stat()
    first = image_folder(two_classes).load(ctx)
    draw(path, 99)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as cp -p does
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert image_folder(two_classes).load(ctx).content_key != first.content_key


@pytest.mark.parametrize(
    ("reader", "error", "reason"),
    [
        ("file", OSError(errno.EIO, "Input/output error"), "cannot be opened: Input/output error"),
        ("file", OSError(errno.EMFILE, "Too many open files"), "cannot be opened: Too many open files"),
        ("file", PermissionError(errno.EACCES, "Permission denied"), "cannot be opened: Permission denied"),
        ("file", MemoryError(), "cannot be opened: not enough memory"),
        ("decoder", MemoryError(), "cannot be opened: not enough memory"),
        ("decoder", OSError(errno.EMFILE, "Too many open files"), "cannot be opened: Too many open files"),
    ],
)
def test_a_temporary_error_is_not_cached(two_classes, image_folder, ctx, reader, error, reason):
    whole, file = two_classes / "cats" / "0.png", (two_classes / "cats" / "0.png").read_bytes()
    read, decode = Path.read_bytes, module.facts

    def fail_to_read(path):
        if path == whole:
            raise error
        return read(path)

    def fail_to_decode(data):
        if data.getvalue() == file:
            raise error
        return decode(data)

    with pytest.MonkeyPatch.context() as patch:
        if reader == "file":
            patch.setattr(Path, "read_bytes", fail_to_read)
        else:
            patch.setattr(module, "facts", fail_to_decode)
        assert image_folder(two_classes).load(ctx).skipped == (("cats/0.png", reason),)
    assert image_folder(two_classes).load(ctx).skipped == ()


def test_a_damaged_image_is_read_once(two_classes, image_folder, ctx, monkeypatch):
    spoil(two_classes)
    first = image_folder(two_classes).load(ctx)
    monkeypatch.setattr(module, "_read", lambda path: pytest.fail(f"{path} was opened"))
    assert image_folder(two_classes).load(ctx).skipped == first.skipped


def test_a_class_of_one_image_is_loaded(two_classes, draw, image_folder, ctx):
    draw(two_classes / "emus" / "1.png", 70)
    samples = image_folder(two_classes).load(ctx)
    assert samples.class_names == ("cats", "dogs", "emus")
    assert samples.split[-1] == SPLITS.index("training")


def test_strange_names_are_read(tmp_path, draw, image_folder, ctx):
    names = ("a b/naïve 写真.png", "a b/#%&+'.png", "ü/1.png", "ü/new\nline.png")
    for seed, name in enumerate(names):
        draw(tmp_path / "odd" / name, seed)
    samples = image_folder(tmp_path / "odd").load(ctx)
    assert sorted(names) == list(samples.ids)
    assert samples.content.pixels(Resize(4), ctx).shape == (4, 4, 4, 3)


def test_a_name_that_is_not_utf8_is_left_out(two_classes, image_folder, ctx):
    shutil.copy(two_classes / "cats" / "0.png", os.fsencode(two_classes / "cats") + b"/\xff.png")
    [(name, reason)] = image_folder(two_classes).load(ctx).skipped
    assert name == "cats/?.png"
    says(reason, key="UTF-8", use="rename it")


def test_links_are_followed_and_never_in_a_circle(two_classes, tmp_path, draw, image_folder, ctx):
    draw(tmp_path / "elsewhere" / "1.png", 80)
    (two_classes / "foxes").symlink_to(tmp_path / "elsewhere")
    (two_classes / "dogs" / "up").symlink_to(two_classes)
    (two_classes / "dogs" / "self.png").symlink_to("self.png")
    (two_classes / "dogs" / "gone.png").symlink_to("nowhere.png")
    samples = image_folder(two_classes).load(ctx)
    assert len(samples) == 11
    assert samples.class_names == ("cats", "dogs", "foxes")
    assert [path for path, _ in samples.skipped] == ["dogs/gone.png", "dogs/self.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_left_out(two_classes, image_folder, ctx):
    (two_classes / "cats" / "0.png").chmod(0)
    (skipped,) = image_folder(two_classes).load(ctx).skipped
    assert skipped == ("cats/0.png", "cannot be opened: Permission denied")


def test_a_changed_label_decodes_nothing_again(two_classes, image_folder, ctx):
    before = image_folder(two_classes).load(ctx)
    (two_classes / "dogs").rename(two_classes / "wolves")
    after = image_folder(two_classes).load(ctx)
    assert after.data_key != before.data_key
    assert after.content.pixel_map(Resize(8)) == before.content.pixel_map(Resize(8))


def test_real_photographs(caltech, image_folder, ctx, tmp_path):
    """Three images of each class, and one other file."""
    with zipfile.ZipFile(caltech) as whole, zipfile.ZipFile(tmp_path / "few.zip", "w") as few:
        taken = Counter()
        for name in whole.namelist():
            folder = name.rpartition("/")[0]
            if name.endswith("/tmp") or (name.endswith(".jpg") and taken[folder] < 3):
                taken[folder] += 1
                few.writestr(name, whole.read(name))
    stage = image_folder(tmp_path / "few.zip", limit=204)
    assert stage.count() == 204
    samples = stage.load(ctx)
    assert len(samples.class_names) == 102
    assert samples.skipped == (("BACKGROUND_Google/tmp", "not an image"),)
    assert samples.content.pixels(Resize(16), ctx).std() > 40


def test_the_folder_that_one_is_in_has_its_own_name(image_folder, two_classes, monkeypatch):
    monkeypatch.chdir(two_classes)
    assert image_folder(Path()).display_name == "pets"
    assert image_folder(Path("cats/..")).display_name == "pets"


def test_nested_labels_are_classes_where_they_are_asked_for(two_classes, draw, image_folder, ctx):
    for seed in range(4):
        draw(two_classes / "cats" / "indoors" / f"{seed}.png", 50 + seed)
    with pytest.raises(ValueError) as error:
        image_folder(two_classes, class_level=2).load(ctx)
    text = says(error, key="dataset.class_level=2", use="dataset.class_level=1 or dataset.class_level=-1")
    says(text, key="10 of 14", use="cats/0.png")
    counts = {}
    for level in (1, -1, None):
        samples = image_folder(two_classes, class_level=level).load(ctx)
        counts[level] = None if samples.labels is None else np.bincount(samples.labels).tolist()
    assert counts == {1: [9, 5], -1: [5, 5, 4], None: None}
    with pytest.raises(ValueError) as error:
        image_folder(two_classes, class_level=0)
    says(error, key="dataset.class_level=0", use="null")


@pytest.mark.parametrize("replace", [shutil.copy2, os.replace])
def test_an_image_replaced_through_a_link_or_by_another_file_is_noticed(
    two_classes, tmp_path, draw, image_folder, ctx, replace
):
    path = draw(tmp_path / "elsewhere" / "0.bmp", 0)
    (two_classes / "cats" / "linked.bmp").symlink_to(path)
    os.utime(path, ns=(10**18 + 1, 10**18 + 1))
    first = image_folder(two_classes).load(ctx)
    other = draw(tmp_path / "other.bmp", 99)
    os.utime(other, ns=(10**18 + 1, 10**18 + 1))
    replace(other, path)
    second = image_folder(two_classes).load(ctx)
    assert (second.content.hashes != first.content.hashes).sum() == 1


def test_on_a_disk_without_exact_times_files_are_read_again_and_not_decoded(
    two_classes, draw, image_folder, ctx, monkeypatch
):
    """On FAT, `cp -p` can set all times of a file."""
    monkeypatch.setattr(listing, "status_of", lambda status: (1, 2, 3, 10**18, 10**18))
    first = image_folder(two_classes).load(ctx)
    monkeypatch.setattr(module, "_read", lambda path: pytest.fail(f"{path} was decoded"))
    assert image_folder(two_classes).load(ctx).data_key == first.data_key
    monkeypatch.undo()
    monkeypatch.setattr(listing, "status_of", lambda status: (1, 2, 3, 10**18, 10**18))
    draw(two_classes / "cats" / "0.png", 99)
    assert image_folder(two_classes).load(ctx).content_key != first.content_key


def test_a_moved_folder_is_not_decoded_again(two_classes, image_folder, ctx, monkeypatch):
    first = image_folder(two_classes).load(ctx)
    monkeypatch.setattr(module, "_read", lambda path: pytest.fail(f"{path} was decoded"))
    assert (
        image_folder(two_classes.rename(two_classes.with_name("moved"))).load(ctx).data_key == first.data_key
    )


def test_an_image_that_changes_between_scan_and_decoding_is_refused(two_classes, draw, image_folder, ctx):
    samples = image_folder(two_classes).load(ctx)
    draw(two_classes / "cats" / "0.png", 99)
    with pytest.raises(ValueError) as error:
        samples.content.pixels(Resize(8), ctx)
    assert "cats/0.png" in says(error, key=f"dataset.root={two_classes}", use="start again")
