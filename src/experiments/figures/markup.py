"""The frame of every page."""

import html
import json
from typing import Any

HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font-family: sans-serif; margin: 12px; overflow-y: scroll }} figure {{ margin: 0 }}
{style}</style></head><body>
"""


def document(title: str, style: str, body: str) -> str:
    """Return a whole page."""
    return f"{HEAD.format(title=html.escape(title), style=style)}{body}</body></html>\n"


def script(value: Any) -> str:
    """Spell a value in JavaScript, so that no text in it can end the script."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
