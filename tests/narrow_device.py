"""A device that is neither a CPU nor a CUDA device and has no float64, as the GPU of a Mac, imitated on the CPU.

A tensor there holds another, of the CPU. What is computed from it lies there too. A float64 is refused; so is a tensor of the
CPU beside it, but for a single number. Called with a folder, this trains every recipe on the device and uses its model.
"""

import sys
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

TOO_WIDE = (torch.float64, torch.complex128)
ANYWHERE = (torch.ops.aten.copy_.default, torch.ops.aten.index.Tensor)  # take tensors of two devices


class Backend(backend_registration._DummyBackendModule):
    """What torch asks of a device."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return []

    def get_rng_state(self, device: int) -> int:
        return 0

    def set_rng_state(self, state: int, device: int) -> None:
        pass


class Held(Tensor):
    """A tensor on the device."""

    held: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: Tensor) -> "Held":
        if held.dtype in TOO_WIDE:
            raise TypeError("the device has no float64")
        made = torch.Tensor._make_wrapper_subclass(
            cls, held.size(), held.stride(), held.storage_offset(), dtype=held.dtype, device="imitated:0"
        )
        made.held = held
        return made

    def tolist(self) -> Any:
        return self.held.tolist()

    @property
    def data(self) -> Tensor:
        return Tensor.data.__get__(self)

    @data.setter
    def data(self, new: "Held") -> None:
        Tensor.data.__set__(self, new)
        self.held = new.held


def compute(function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """What the operation gives, where it is."""
    kwargs = dict(kwargs or {})
    tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
    there = any(isinstance(one, Held) for one in tensors)
    if there and function not in ANYWHERE and any(one.ndim and not isinstance(one, Held) for one in tensors):
        raise RuntimeError(f"{function} is given tensors on two devices")
    if kwargs.get("device") is not None:
        there = torch.device(kwargs["device"]).type == "imitated"
        kwargs["device"] = "cpu"
    known = {id(one.held): one for one in tensors if isinstance(one, Held)}  # what is changed in place stays what it is
    args, kwargs = tree_map(lambda one: one.held if isinstance(one, Held) else one, (args, kwargs))
    return tree_map(
        lambda one: known.get(id(one), Held(one)) if isinstance(one, Tensor) and there else one,
        function(*args, **kwargs),
    )


class Machine(TorchDispatchMode):
    """A machine that has the device."""


Held.__torch_dispatch__ = classmethod(
    lambda cls, *args: compute(*args)
)  # set here, for torch to wrap neither in its compiler
Machine.__torch_dispatch__ = lambda self, *args: compute(*args)


class Generator(torch.Generator):
    """The numbers of the device are those of the CPU."""

    def __new__(cls, device: Any = "cpu") -> "Generator":
        return super().__new__(cls)


def main(out: str) -> None:
    """Train every recipe, write runs into `out`, and print the name of each that works."""
    backend_registration._setup_privateuseone_for_python_backend("imitated", Backend())
    torch.Generator = Generator  # type: ignore[misc]

    from diabolo import hardware

    hardware.choose_device = lambda name: torch.device("imitated:0" if name == "mps" else "cpu")

    import diabolo  # whose modules now choose so
    from diabolo import zoo

    train, test = (images.subset(n) for images, n in zip(diabolo.data.load("digits"), (40, 8), strict=True))
    options = {"epochs": 1, "batch_size": 20, "precision": "float32", "threads": 1, "quiet": True, "out": out}
    optimizers = {"vae": "sgd(momentum=0.9)", "undercomplete": "muon"}
    x, y = torch.from_numpy(test.images), torch.from_numpy(test.labels)
    with Machine():
        for name in zoo.RECIPES:
            few = {"codes": 16} if name == "vqvae" else {}
            run = diabolo.fit(name, train, test, device="mps", optimizer=optimizers.get(name, "adam"), **options, **few)
            if name in ("vqvae", "fsq"):
                diabolo.fit_prior(
                    run.path, train, test, epochs=1, layers=1, width=16, heads=2, device="mps", quiet=True
                )
            model = diabolo.load(run.path, device="mps")
            known = y if model.needs_column == "labels" else None
            given = x if model.needs_column is None and model.condition.to_decoder else known
            z = model.encode(x, known)
            if model.decodes:
                model.decode(z, given)
                model.sample(len(x), seed=0, y=given)
            if name == "vae":
                found = diabolo.evaluate(model, (train, test), ["reconstruction", "likelihood", "prior_hole"])
                assert not found.skipped, found.skipped
                there = run.history[0]
            print(name, flush=True)
        rows = diabolo.data.Images(torch.arange(60.0, dtype=torch.float64).reshape(20, 3).numpy(), name="rows")
        with pytest.raises(diabolo.DiaboloError, match="scaling 'standard' computes in float64"):
            diabolo.fit("undercomplete", rows, device="mps", **options)
    here = diabolo.fit("vae", train, test, device="cpu", optimizer=optimizers["vae"], **options).history[0]
    assert all(here[which] == there[which] for which in ("train", "validation", "health")), (here, there)
    print("agree")


if __name__ == "__main__":
    main(sys.argv[1])
