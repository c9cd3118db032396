"""The data sets known by name, and what reads them. A new one is one new file in `sources/` and one entry here; one of another
package is an entry point of the group `diabolo.data`, such as `rings = "my_pkg.rings:load"`."""

from dataclasses import dataclass

GROUP = "diabolo.data"


@dataclass(frozen=True)
class SourceInfo:
    """What `diabolo data` prints about a data set; `module` holds its `load` function and is imported on first use.
    `shown` says whether its terms allow that pictures of it are shown to others.

    Example:
        >>> info = diabolo.data.names()["mnist"]
        >>> info.train, info.test, info.download
        (60000, 10000, True)
    """

    description: str
    shape: str
    train: int
    test: int
    download: bool
    licence: str
    module: str
    function: str = "load"
    shown: bool = True


SOURCES: dict[str, SourceInfo] = {
    "digits": SourceInfo(
        description="handwritten digits, bundled with scikit-learn",
        shape="1×8×8",
        train=1437,
        test=360,
        download=False,
        licence="CC BY 4.0",
        module="digits",
    ),
    "faces": SourceInfo(
        description="faces drawn from known factors, any number",
        shape="3×64×64",
        train=10000,
        test=2000,
        download=False,
        licence="Apache-2.0",
        module="faces",
    ),
    "patches": SourceInfo(
        description="random crops of scikit-learn's two photographs",
        shape="3×32×32",
        train=20000,
        test=2000,
        download=False,
        licence="CC BY 2.0",
        module="patches",
    ),
    "sheet": SourceInfo(
        description="points of a sheet rolled up in space, any number",
        shape="3",
        train=4000,
        test=1000,
        download=False,
        licence="Apache-2.0",
        module="sheet",
    ),
    "mnist": SourceInfo(
        description="handwritten digits",
        shape="1×28×28",
        train=60000,
        test=10000,
        download=True,
        licence="CC BY-SA 3.0",
        module="torchvision_sets",
        function="mnist",
    ),
    "fashion_mnist": SourceInfo(
        description="pieces of clothing",
        shape="1×28×28",
        train=60000,
        test=10000,
        download=True,
        licence="MIT",
        module="torchvision_sets",
        function="fashion_mnist",
    ),
    "cifar10": SourceInfo(
        description="small colour photographs of ten kinds",
        shape="3×32×32",
        train=50000,
        test=10000,
        download=True,
        licence="free for research with citation",
        module="torchvision_sets",
        function="cifar10",
    ),
    "celeba": SourceInfo(
        description="portraits with 40 attributes; a partial folder will do",
        shape="3×64×64",
        train=162770,
        test=19962,
        download=True,
        licence="non-commercial research, no redistribution",
        module="celeba",
        shown=False,
    ),
}


def names() -> dict[str, SourceInfo]:
    """The known data sets by name: description, shape of one image, counts, whether a download is needed, licence.

    Example:
        >>> diabolo.data.names()["digits"].shape
        '1×8×8'
    """
    return dict(SOURCES)


def registered() -> dict[str, tuple[str, ...]]:
    """The data sets that installed packages have registered: name → package.module:function, more than one where several
    packages have that name. Nothing is imported. One that is called as one of Diabolo's own has its path for a name."""
    from importlib.metadata import entry_points

    found: dict[str, tuple[str, ...]] = {}
    for entry in sorted(entry_points(group=GROUP)):
        name = entry.value if entry.name in SOURCES else entry.name
        found[name] = tuple(dict.fromkeys((*found.get(name, ()), entry.value)))
    return found
