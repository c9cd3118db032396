"""A config.json, or an option, that asks for more than any memory holds is refused before a byte of it is asked for."""

import resource

import pytest

from diabolo import zoo
from diabolo.memory import TooLargeError


@pytest.mark.parametrize(
    "change",
    [
        {"latent_dim": 10**12}, {"latent_dim": 10**100}, {"in_features": 10**12}, {"latent_dim": 10**7, "in_features": 10**7},
    ],
    ids=str,
)  # fmt: skip
def test_a_config_of_absurd_size_is_one_sentence(change, stranger, diabolo):
    run = stranger(lambda config: config["model"]["bottleneck"].update(change))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for verb in ("info", "sample"):
        code, _, err = diabolo(verb, run)
        assert (code, err.count("\n")) == (2, 1), err
        assert "of memory are free" in err
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


@pytest.mark.parametrize("options", [{"latent_dim": 10**12}, {"hidden": (10**9,)}, {"hidden": (10**18,)}], ids=str)
def test_so_is_an_option(options):
    with pytest.raises(TooLargeError, match="of memory are free"):
        zoo.vae((1, 28, 28), **({"latent_dim": 4} | options))
