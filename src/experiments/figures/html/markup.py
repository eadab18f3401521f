"""The frame of every page."""

import html
import json
from typing import Any

from experiments.store.values import plain_number

HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>{title}</title>
<style>body {{ font-family: sans-serif; margin: 12px; overflow-y: scroll }} figure {{ margin: 0 }}
{style}</style>{head}</head><body>
"""


def document(title: str, style: str, body: str, head: str = "") -> str:
    """Return a whole page; `head` is further markup of its head."""
    return f"{HEAD.format(title=html.escape(title), style=style, head=head)}{body}</body></html>\n"


def script(value: Any) -> str:
    """Spell a value in JavaScript, so that no text in it can end the script."""
    return json.dumps(value, separators=(",", ":"), default=plain_number).replace("<", "\\u003c")
