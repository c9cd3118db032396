"""What pip installs this very diabolo from."""

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution

NAME = "diabolo"
SOURCES = ("source", "repository")  # what a project may call where its code lies, the first that is there


def requirement() -> str:
    """As pip takes it: the repository and commit that it was installed from, where pip noted one (PEP 610); else the repository
    that the project's metadata name; else the name, which stands for the package index.

    Example:
        >>> from diabolo.reports.requirement import requirement
        >>> requirement().startswith("diabolo")
        True
    """
    try:
        installed = distribution(NAME)
    except PackageNotFoundError:
        return NAME
    urls = dict(entry.split(", ", 1) for entry in installed.metadata.get_all("Project-URL") or [])
    return of(json.loads(installed.read_text("direct_url.json") or "{}"), urls)


def of(direct: Mapping[str, object], urls: Mapping[str, str]) -> str:
    """By `direct`, the contents of direct_url.json, and the project's `urls` by their labels."""
    vcs = direct.get("vcs_info")
    if isinstance(vcs, Mapping):
        return f"{NAME} @ {vcs['vcs']}+{direct['url']}@{vcs['commit_id']}"
    named = {label.lower(): url for label, url in urls.items()}
    return next((f"{NAME} @ git+{named[label]}" for label in SOURCES if label in named), NAME)
