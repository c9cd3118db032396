"""The notebook of one training: the run read from its folder, its loss, its figures, its codes, ready to be played with."""

from collections.abc import Mapping

from diabolo.reports.literal import literal

SCRIPT = """# %% [markdown]
# The run is read from its folder: the trained model, the course of its training, and the images it was trained on.

# %% tags=["parameters"]
path = "."  # this notebook lies in the folder of its run
trust = {trust}  # packages whose code the run may name
moved = {moved}  # where its images lie now, if they were moved: {{"name": …}} or {{"root": …}}

# %%
from IPython.display import Image, display

from diabolo.pictures import run_figures
from diabolo.evaluation.measuring import images_of
from diabolo.latents.codes import encode
from diabolo.plain import visible
from diabolo.runs.loading import load_run

run = load_run(path, trust=trust)
pair = run.folder.pair(moved, trust) if run.config.train.origin else None
model = run.model
print(visible(f"{{run.config.name}}: {{run.status}}"))

# %% [markdown]
# ## The model
# Its layers, what each gives for one image, and the parameters.

# %%
print(model.summary())

# %% [markdown]
# ## The loss
# Of the last epoch; `run.history` has every epoch.

# %%
for part in ("train", "validation"):
    if run.history and run.history[-1][part]:
        print(part, {{term: round(value, 5) for term, value in run.history[-1][part].items()}})

# %% [markdown]
# ## Figures
# The loss by epoch, reconstructions, samples and the map of the codes, as far as this model has them.

# %%
for figure in run_figures.draw(run, pair and pair[1]):
    display(Image(filename=str(figure)))

# %% [markdown]
# ## Codes
# `encode` gives the code of each image, `reconstruct` what the decoder makes of it. From here on the notebook is yours.

# %%
train, test = images_of(run, pair)
codes = encode(model, test.take(range(min(1000, len(test)))))
print(codes.shape, "mean", codes.mean().round(4), "standard deviation", codes.std().round(4))
"""


def script(trust: tuple[str, ...] = (), moved: Mapping[str, str] | None = None) -> str:
    """The percent-format script that is run in the run's folder; `trust` as in `diabolo.load`, `moved` as in
    `diabolo.data.origin.of_run`. Nothing of the run is in it."""
    return SCRIPT.format(trust=literal(trust), moved=literal(dict(moved or {})))
