"""Name a data set after its path."""

import os
import re
from pathlib import Path

EXTENSION = re.compile(r"(\.tar)?\.(zip|tar|\w*gz|\w*bz2|\w*xz)$")  # of archives
UNINFORMATIVE = re.compile(  # such as train and train2017
    r"(archive|arrays|csv|data|datasets?|db|embeddings?|features?|files?|images?|imagefolder|imgs?|inputs?|"
    r"jpe?g|jpegimages|originals?|pics?|pictures?|png|raw|samples?|tables?|test|testing|train|"
    r"training|val|valid|validation|vectors?)?[\W\d_]*",
    re.IGNORECASE,
)
PARTS = 3  # largest number of path parts in a name


def name_of_folder(root: str | Path) -> str:
    """Return the name of a data set in a folder or an archive."""
    return name_of_path(Path(EXTENSION.sub("", os.path.abspath(root))))


def name_of_path(path: Path) -> str:
    """Return the last part of a path, with its parents if it is uninformative: `flowers/test`."""
    parts = [part for part in path.parts if part != path.anchor]
    count = 1
    while count < min(PARTS, len(parts)) and UNINFORMATIVE.fullmatch(parts[-count]):
        count += 1
    return "/".join(parts[-count:])
