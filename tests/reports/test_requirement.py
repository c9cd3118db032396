"""What the first cell of a notebook installs diabolo from."""

import json

import pytest

from diabolo.reports import requirement

COMMIT = {"vcs_info": {"vcs": "git", "commit_id": "0a1b2c"}, "url": "https://example.org/d.git"}


@pytest.mark.parametrize(
    ("direct", "urls", "said"),
    [
        ({}, {}, "diabolo"),
        ({"url": "file:///home/me/diabolo", "dir_info": {"editable": True}}, {}, "diabolo"),  # of no use elsewhere
        ({}, {"Documentation": "https://example.org/doc"}, "diabolo"),
        ({}, {"Repository": "https://example.org/r"}, "diabolo @ git+https://example.org/r"),
        (COMMIT, {"Source": "https://example.org/s"}, "diabolo @ git+https://example.org/d.git@0a1b2c"),
    ],
)
def test_it_is_where_this_diabolo_came_from(direct, urls, said):
    assert requirement.of(direct, urls) == said


def test_it_is_read_from_the_installed_package(monkeypatch):
    class Installed:
        class metadata:  # noqa: N801
            get_all = staticmethod(lambda name: ["Source, https://example.org/s"])

        read_text = staticmethod(lambda name: json.dumps(COMMIT))

    monkeypatch.setattr(requirement, "distribution", lambda name: Installed)
    assert requirement.requirement() == "diabolo @ git+https://example.org/d.git@0a1b2c"
