"""docs/stages/ is what scripts/make/stages.py writes of conf/ and the classes."""

from scripts.make import stages


def test_pages_are_up_to_date() -> None:
    made = stages.pages()
    old = [path.name for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
    assert old == [], "type: python scripts/make/stages.py"
    assert sorted(stages.PAGES.iterdir()) == sorted(made)


def test_a_setting_has_the_comment_of_its_line_and_those_below() -> None:
    about = "# About.   python run.py x=1\n#   Each:   python run.py -m x=1,2\n"
    text = f"{about}a: [1, 2]   # one\n#   more\nb:   # group\n  c: null   # inner\n"
    assert stages.header(text) == ("About.", ["python run.py x=1", "python run.py -m x=1,2    # each"])
    assert stages.settings(text) == [
        ("a", "[1, 2]", "one more"),
        ("b", "", "group"),
        ("b.c", "null", "inner"),
    ]


def test_every_setting_has_a_meaning() -> None:
    rows = [
        line for path, text in stages.pages().items() if path.stem != "metrics" for line in text.splitlines()
    ]
    assert [row for row in rows if row.startswith("| `") and row.endswith("|  |")] == []
