"""Still pictures of what scripts draw: on the page until then, in print, and where scripts are off."""

import base64
import html
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.figures.draw import picture
from experiments.figures.html import tiles
from experiments.figures.specs import Figure, Map

if TYPE_CHECKING:
    import pandas as pd

COLOURS = 64  # of a still chart, which needs few
CLUSTERS, EACH = 40, 12  # clusters with still images, and images of each
SIDE = 48  # pixels of a still image
HEIGHT = 450  # pixels of a plotly chart that names no height


def still(figure: Figure, drawn: Path | None) -> str:
    """Return a figure as an <img>; `drawn` is its PNG if that was written before."""
    png = drawn.read_bytes() if drawn and drawn.is_file() else picture(figure)
    return _image(_fewer_colours(png), figure.title)


def still_map(title: str, plane: np.ndarray, clusters: np.ndarray) -> str:
    """Return a map of samples, float (m, 2), coloured by cluster, as an <img>."""
    empty = tiles.none(tiles.SMALLEST)
    axes = (f"{title} 1", f"{title} 2")
    spec = Map(title, *axes, plane[:, 0], plane[:, 1], clusters, [], [], empty, [], tiles.SMALLEST, 0)
    return _image(_fewer_colours(picture(spec)), f"map of the samples by {title}")


def still_clusters(members: "pd.DataFrame", images: np.ndarray) -> str:
    """Return the size of each cluster and its first images; of many clusters the first ones.

    Parameters
    ----------
    members
        `cluster` of each sample, the nearest to the centre first.
    images
        uint8 (m, S, S, 3), one for each of the members, or none.
    """
    clusters = members["cluster"].to_numpy()
    groups = list(dict.fromkeys(clusters.tolist()))
    parts = []
    for cluster in groups[:CLUSTERS]:
        rows = np.flatnonzero(clusters == cluster)
        name = "noise" if cluster < 0 else f"cluster {cluster}"
        strip = _strip(images[rows[:EACH]], f"the first images of {name}") if len(images) else ""
        parts.append(f"<h3>{name}: {len(rows):,}</h3>{strip}")
    more = len(groups) - CLUSTERS
    return "\n".join([*parts, f"<p>and {more} clusters more</p>"] if more > 0 else parts)


def _strip(images: np.ndarray, about: str) -> str:
    """Return images uint8 (m, S, S, 3) in one row."""
    from PIL import Image

    row, file = Image.new("RGB", (len(images) * SIDE, SIDE)), BytesIO()
    for number, image in enumerate(images):
        row.paste(Image.fromarray(image).resize((SIDE, SIDE)), (number * SIDE, 0))
    row.save(file, "JPEG", quality=80)
    return _tag(file.getvalue(), "jpeg", row.size, about)


def _fewer_colours(png: bytes) -> bytes:
    from PIL import Image

    file = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").quantize(COLOURS).save(file, "PNG", optimize=True)
    return file.getvalue()


def _image(png: bytes, about: str) -> str:
    from PIL import Image

    return _tag(png, "png", Image.open(BytesIO(png)).size, about)


def _tag(file: bytes, kind: str, size: tuple[int, int], about: str) -> str:
    source = f"data:image/{kind};base64,{base64.b64encode(file).decode()}"
    width, height = size
    alt = html.escape(about)
    return f'<img class="still" alt="{alt}" width="{width}" height="{height}" src="{source}">'
