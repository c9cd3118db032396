"""`diabolo fit-prior RUN`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Group, Parameter

from diabolo.cli.options import MovedOptions, TrainFlags, where
from diabolo.cli.verbs import VERBS
from diabolo.ranges import At, Count, checked

app = App(name="fit-prior", help=VERBS["fit-prior"])


@app.default
@checked
def command(
    run: Path,
    /,
    *,
    width: Count = 128,
    layers: Annotated[int, At(1, 1000)] = 4,
    heads: Count = 4,
    moved: MovedOptions = None,
    training: Annotated[TrainFlags | None, Parameter(name="*", group=Group("Training", sort_key=2))] = None,
) -> None:
    """Fit a prior to the discrete codes of a trained model: the run's training images are encoded, and a causal transformer
    learns their code maps. It is left in the run folder; 'diabolo sample RUN' draws from it.

    Args:
        run: the run folder of a model with discrete codes (vqvae, fsq).
        width: numbers per position of the transformer; a multiple of heads.
        layers: blocks of the transformer.
        heads: of its attention.
    """
    import sys

    from diabolo.cli.messages import tell_of_data
    from diabolo.errors import DiaboloError
    from diabolo.training.code_priors import fit_prior

    options = training or TrainFlags()
    if options.out != TrainFlags.out:
        raise DiaboloError(f"a prior is left in the folder of its run, {run / 'prior'}: leave --out out")
    if not options.quiet:
        tell_of_data()
    result = fit_prior(run, width=width, layers=layers, heads=heads, moved=where(moved), **options.asked())
    if result.status == "interrupted":
        sys.exit(130)
