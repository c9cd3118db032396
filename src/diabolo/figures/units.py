"""What single units of a code do: their KL, and their moments against those of the prior."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from diabolo.errors import DiaboloError
from diabolo.masks import as_mask

from .checks import numbers
from .colours import BLUE, VERMILLION
from .layout import canvas, settle
from .style import drawing, wrap

_LEAST = 0.01  # nats that the axis reaches to at least
_NAMED = 40  # units up to which each is named on its axis
_HEIGHT = 3.2


@drawing
def kl_bars(kl: ArrayLike, active: ArrayLike, *, title: str | None = None, on: SubFigure | None = None) -> Figure:
    """Draw the KL of each unit, `kl` (D,) in nats per image averaged over images, from the largest to the smallest.

    `active` (D,) says which units are, by the variance of their means (`metrics.active_units`): whether a unit is active
    cannot be seen by its KL. Active units are dark, the others stand on hatched ground.

    Example:
        >>> kl = diabolo.latents.kl_of_units(model, test)
        >>> figure = diabolo.figures.kl_bars(kl, kl > 0.01)
        >>> diabolo.figures.save(figure, "kl_bars.png").name
        'kl_bars.png'
    """
    values = numbers(kl, "kl_bars: kl")
    if values.min() < -1e-3:
        raise DiaboloError(f"kl_bars: a KL is never negative, and one of these is {values.min():.3g} nats")
    used = as_mask(active, "kl_bars: `active`, one per unit,", values.shape)
    order = np.lexsort((-values, ~used))  # active ones first, then by KL
    values, used, count = values[order], used[order], len(values)
    width = _width(count)
    sheet = canvas(on, width, _HEIGHT)
    axes = sheet.add_subplot()
    places, wide = np.arange(count), 0.76 if count <= _NAMED else 1.0
    alive, thin = int(used.sum()), 0.5 * (count <= 100)
    axes.bar(places, values, wide, color=np.where(used, BLUE, "white").tolist(), edgecolor="black", linewidth=thin)
    if alive < count:
        axes.axvspan(
            alive - 0.5, count - 0.5, facecolor="#F0F0F0", edgecolor="#C4C4C4", hatch="////", zorder=0, linewidth=0
        )
    _unit_axis(axes, order, count)
    axes.set_ylabel("KL (nats per image)")
    axes.set_ylim(0, max(1.05 * float(values.max()), _LEAST))
    handles = [Patch(facecolor=BLUE, edgecolor="black"), Patch(facecolor="#F0F0F0", edgecolor="#C4C4C4", hatch="////")]
    told = [f"{alive} active", f"{count - alive} inactive"]
    axes.legend(handles, told, loc="lower center", ncols=2, bbox_to_anchor=(0.5, 1))
    _title(axes, title or f"KL per unit: {values.sum():.1f} nats in all", width)
    return settle(sheet)


@drawing
def posterior_against_prior(
    mean: ArrayLike, deviation: ArrayLike, *, title: str | None = None, on: SubFigure | None = None
) -> Figure:
    """Draw the standard deviation and the mean of each unit of the aggregated posterior, both (D,), against the 1 and 0 of the
    prior: the units in the order of their deviations, from the largest to the smallest.

    Example:
        >>> latent, _ = model(torch.from_numpy(test.images) / 255)
        >>> figure = diabolo.figures.posterior_against_prior(latent.z.mean(0).detach(), latent.z.std(0).detach())
        >>> diabolo.figures.save(figure, "posterior_against_prior.png").name
        'posterior_against_prior.png'
    """
    means, spreads = (
        numbers(mean, "posterior_against_prior: mean"),
        numbers(deviation, "posterior_against_prior: deviation"),
    )
    if means.shape != spreads.shape:
        raise DiaboloError(f"posterior_against_prior: {len(means)} means, but {len(spreads)} deviations")
    if spreads.min() < 0:
        raise DiaboloError("posterior_against_prior: a standard deviation is negative")
    count, order = len(means), np.argsort(-spreads, kind="stable")
    width = _width(count)
    sheet = canvas(on, width, _HEIGHT + 0.8)
    above, below = sheet.subplots(2, 1, sharex=True)
    places, size = np.arange(count), 4.5 if count <= _NAMED else 2
    for axes, values, prior, name in ((above, spreads, 1, "standard deviation"), (below, means, 0, "mean")):
        axes.axhline(prior, color="black", linewidth=1, linestyle="--")
        axes.vlines(places, prior, values[order], color="#BBBBBB", linewidth=0.8)
        axes.plot(places, values[order], "o", color=VERMILLION, markersize=size)
        axes.set_ylabel(name)
        axes.margins(y=0.12)
    low, high = min(0.0, above.get_ylim()[0]), above.get_ylim()[1]
    above.set_ylim(low, high + 0.06 * (high - low))  # room for the highest point, and half of its dot
    _unit_axis(below, order, count, "deviation")
    above.grid(visible=False, axis="x")
    above.legend(
        [Line2D([], [], color=VERMILLION, marker="o", linestyle=""), Line2D([], [], color="black", linestyle="--")],
        ["aggregated posterior", "prior N(0, 1)"],
        loc="lower center",
        ncols=2,
        bbox_to_anchor=(0.5, 1),
    )
    _title(above, title or "Aggregated posterior against the prior", width)
    return settle(sheet)


def _width(count: int) -> float:
    return float(np.clip(2 + 0.22 * count, 5, 8))


def _title(axes: Axes, text: str, width: float) -> None:
    axes.set_title(wrap(text, width - 0.4, 12), fontsize=12, loc="center", pad=26)  # above the legend


def _unit_axis(axes: Axes, order: NDArray[np.intp], count: int, by: str = "KL") -> None:
    """Name every unit, or, when there are many, say how many there are."""
    half, middle = max(count / 2 + 0.2, 3), (count - 1) / 2
    axes.set_xlim(middle - half, middle + half)
    axes.grid(visible=False, axis="x")
    if count <= _NAMED:
        axes.set_xticks(range(count), [str(unit + 1) for unit in order], rotation=0 if count <= 26 else 90)
        axes.tick_params(axis="x", length=0)
        axes.set_xlabel("unit of the code")
    else:
        sort = "" if (np.diff(order) == 1).all() else f", sorted by {by}"
        axes.set_xlabel(f"units of the code ({count}{sort})")
