"""Render jinja2 templates; every value that is not Markup is escaped."""

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from experiments.store.values import plain_number

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

FIGURES = "experiments.figures"


def render(template: str, package: str = FIGURES, /, **values: Any) -> str:
    """Render a template from a package's folder web/; it may extend the templates of experiments.figures."""
    return _environment(package).get_template(template).render(**values)


def document(title: str, style: str, body: str, head: str = "") -> str:
    """Return a page with this markup as its style, body and head."""
    from markupsafe import Markup

    return render("document.html", title=title, style=Markup(style), body=Markup(body), head=Markup(head))  # noqa: S704


def to_javascript(value: Any) -> "Markup":
    """Return a value as JavaScript; no text in it can end the script element."""
    from markupsafe import Markup

    return Markup(json.dumps(value, separators=(",", ":"), default=plain_number).replace("<", "\\u003c"))  # noqa: S704


def format_number(value: float | None) -> str:
    """Format a number with four digits; "" for None and nan."""
    return "" if value is None or value != value else f"{value:.4g}"


def css_percent(value: float) -> str:
    """Return a share, clipped to [0, 1], as a CSS percentage."""
    return f"{100 * min(max(value, 0.0), 1.0):.1f}%"


@cache
def _environment(package: str) -> "Environment":
    """Return the templates of a package; in them `source(name)` includes a file unescaped."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    loader = ChoiceLoader([PackageLoader(name, "web") for name in dict.fromkeys((package, FIGURES))])
    templates = Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    templates.filters |= {"number": format_number, "percent": css_percent, "thousands": "{:,}".format}
    templates.globals["source"] = lambda name: Markup(loader.get_source(templates, name)[0])  # noqa: S704
    return templates
