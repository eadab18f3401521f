"""Detection of headers, on tables as found in practice."""

import csv
import io
import random

import pytest

from experiments.dataset.tables.header import first_row

DRAW = random.Random(0)
FLOATS = [",".join(f"{DRAW.gauss(0, 1):.3f}" for _ in range(6)) for _ in range(40)]
COUNTS = [",".join(str(DRAW.randrange(30)) for _ in range(6)) for _ in range(40)]
DIGITS = [f"{DRAW.randrange(10)}," + ",".join(DRAW.choice("0001") for _ in range(16)) for _ in range(40)]


def indexed(rows: list[str], name: str = "s{}") -> list[str]:
    return [f"{name.format(number)},{row}" for number, row in enumerate(rows)]


def boxes() -> list[str]:
    return [f"val_{n}.JPEG,n{DRAW.choice('012')}344,0,{DRAW.randrange(32)},44,62" for n in range(40)]


def adults() -> list[str]:
    jobs = ("Sales", "Tech", "Clerical")
    return [f"{DRAW.randrange(20, 70)},Private,{DRAW.choice(jobs)},{DRAW.randrange(99)}" for _ in range(40)]


NAMED = {
    "words above numbers": ["a,b,c,d,e,f", *FLOATS],
    "one word above one column of numbers": ["width", "1", "2", "3"],
    "pandas' index": [",a,b,c,d,e,f", *indexed(FLOATS, "{}")],
    "pandas' index and its numbered columns": [",0,1,2,3,4,5", *indexed(FLOATS, "{}")],
    "pandas' numbered columns": ["0,1,2,3,4,5", *FLOATS],
    "an index and one numbered column": [",0", "0,.5", "1,.25", "2,.75"],
    "wavelengths that fall evenly": ["sample_id,4000,3998,3996,3994,3992,3990", *indexed(FLOATS)],
    "wavelengths without a column of ids": ["4000,3998,3996,3994,3992,3990", *FLOATS],
    "wavelengths that rise unevenly": ["350.2,351.9,353.1,355,356.2,357.7", *FLOATS],
    "shifts with more decimals than the values": [
        "s,9.997515,9.991645,9.985775,9.979,9.97,9.96",
        *indexed(FLOATS),
    ],
    "years above values": ["country,2019,2018,2017,2016,2015,2010", *indexed(FLOATS, "Land {}")],
    "years above counts": ["1990,2000,2005,2010,2011,2012", *COUNTS],
    "gene numbers above counts": ["gene,9100,700,5500,8000,641,900", *indexed(COUNTS)],
    "gene numbers above fractions": ["100,7,55,80,641,9", *FLOATS],
    "dates above numbers": ["country,1/22/20,1/23/20,1/24/20", "Germany,1,2,3", "France,3,4,5"],
    "names above dates": ["date,open,close", "2020-01-01,1,2", "2020-01-02,3,4"],
    "gaps": ["v1,v2,v3", "NA,1,2", "NaN,3,4", ",null,5"],
    "a row of units": ["name,length,width", ",cm,cm", "a,1,2", "b,3,4", "c,3,4"],
    "decimal commas": ["a;b", "1,5;2,25", "3,5;4"],
    "quoted numbers": ['"a","b"', '"1","2"', '"3","4"'],
    "texts that stand again": ["colour,shape", *[f"{DRAW.choice(['red', 'blue'])},round" for _ in range(20)]],
    "codes": ["cells,state", "A1,x", "B2,y", "C3,x"],
    "files": ["picture,kind", "a.png,cat", "b.jpg,dog", "c.png,cat"],
    "ids alone": ["id,label", "apple,pear", "plum,fig"],
    "no rows": ["image_id,applied_label"],
    "usual names in capitals": ["Image_ID,Class", "a,b"],
    "another id": ["patient_id,visit", "ann,first", "bob,second"],
}
BARE = {
    "numbers": FLOATS,
    "counts": COUNTS,
    "digits of a label and pixels": DIGITS,
    "ids and numbers": indexed(FLOATS),
    "row numbers and numbers": indexed(FLOATS, "{}"),
    "a census": adults(),
    "boxes around objects": boxes(),
    "files and numbers": ["x.png,0.5,-2", "y.png,1,2"],
    "paths and classes": ["images/a.png,cat", "images/b.png,dog", "images/c.png,cat"],
    "dates and numbers": ["2020-01-01,1,2", "2020-01-02,3,4"],
    "one column of numbers": ["5", "3", "4"],
    "one row of numbers": ["7,3,3"],
    "rows that all rise": ["1,2,3", "4,5,6", "7,8,9"],
    "texts that stand again": ["red,round", "blue,square", "red,square", "blue,round"],
    "gaps": ["NA,1,2", "3,nan,4", "5,5,6"],
    "true and false": ["True,1.5", "False,2.5", "True,3"],
    "a header of which two are alike": ["red,red,3", "blue,green,4"],
}


def read(lines: list[str]) -> list[list[str]]:
    separator = ";" if any(";" in line for line in lines) else ","
    return list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator))


@pytest.mark.parametrize("name", NAMED)
def test_a_header_is_detected(name: str) -> None:
    assert first_row(read(NAMED[name])).names


@pytest.mark.parametrize("name", BARE)
def test_a_row_of_values_is_detected(name: str) -> None:
    assert not first_row(read(BARE[name])).names


@pytest.mark.parametrize(
    ("lines", "sure"),
    [
        (["fruit", "apple", "banana", "cherry"], False),
        (["a,b"], False),
        (["2019,2018,2017", "1.5,2.5,1", "3,4.5,2"], False),
        (["one,two", "x,1", "y,2"], True),
        (["id,x", "a,b"], True),
    ],
)
def test_an_undecided_first_row_is_read_as_a_header_with_a_warning(lines: list[str], sure: bool) -> None:
    row = first_row(read(lines))
    assert (row.names, row.sure) == (True, sure)


def test_rows_of_another_width_and_columns_without_end_are_not_asked() -> None:
    wide = [",".join(f"d{column}" for column in range(20_000)), *[",".join(["0.5"] * 20_000)] * 3]
    assert first_row(read(wide)).names
    assert first_row([["a", "b"], ["only"], ["1", "2"]]).names
