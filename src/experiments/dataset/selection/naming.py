"""The name of a data set, taken from its path."""

import os
import re
from pathlib import Path

ENDING = re.compile(r"(\.tar)?\.(zip|tar|\w*gz|\w*bz2|\w*xz)$")  # of archives
UNINFORMATIVE = re.compile(  # train2017 says no more than train
    r"(archive|arrays|csv|data|datasets?|db|embeddings?|features?|files?|images?|imagefolder|imgs?|inputs?|"
    r"jpe?g|jpegimages|originals?|pics?|pictures?|png|raw|samples?|tables?|test|testing|train|"
    r"training|val|valid|validation|vectors?)?[\W\d_]*",
    re.IGNORECASE,
)
PARTS = 3  # of a path, at most


def name_of_folder(root: str | Path) -> str:
    """Return the name of a folder, or of an archive without its ending, as `name_of_path` makes it."""
    return name_of_path(Path(ENDING.sub("", os.path.abspath(root))))


def name_of_path(path: Path) -> str:
    """Return the last part of a path, after those above it where it is uninformative: `flowers/test`."""
    parts = [part for part in path.parts if part != path.anchor]
    count = 1
    while count < min(PARTS, len(parts)) and UNINFORMATIVE.fullmatch(parts[-count]):
        count += 1
    return "/".join(parts[-count:])
