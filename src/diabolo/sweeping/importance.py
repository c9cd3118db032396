"""How much each option mattered: PED-ANOVA (Watanabe, Bansal & Hutter 2023, arXiv 2304.10255).

The settings of the best trials (a tenth, five at least) are set against those of all; an option matters as far as the two are
distributed differently along it. The shares of all options add up to 1.
"""

from collections.abc import Mapping

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

from diabolo.errors import DiaboloError
from diabolo.sweeping.aims import Aim
from diabolo.sweeping.record import Sweep
from diabolo.sweeping.space import Choice, Space, word
from diabolo.sweeping.storage import quiet

FEWEST, TOP, SHARE = 10, 5, 0.1  # trials with a value; of which so many are the best, or this part of all


def importances(sweep: Sweep, aim: Aim) -> Mapping[str, float]:
    """The share of each option in what makes trials good by `aim`, the largest first.

    Raises:
        DiaboloError: where too few trials have a value.
    """
    complete = sweep.complete
    if len(complete) < FEWEST:
        raise DiaboloError(
            f"the importance of options is estimated from {FEWEST} trials with a value or more, and there are {len(complete)}"
        )
    places = {name: distribution(space) for name, space in sweep.spaces.items()}
    best = max(SHARE, TOP / len(complete))
    with quiet():
        study = optuna.create_study(direction="minimize" if aim.lower else "maximize")
        for trial in complete:
            params = {name: _param(space, trial.options[name]) for name, space in sweep.spaces.items()}
            study.add_trial(optuna.trial.create_trial(params=params, distributions=places, value=trial.mean(aim.name)))
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=best))
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def distribution(space: Space) -> BaseDistribution:
    """A space as Optuna says it."""
    if isinstance(space, Choice):
        return CategoricalDistribution([word(value) for value in space.values])
    if space.whole:
        return IntDistribution(int(space.low), int(space.high), log=space.log)
    return FloatDistribution(space.low, space.high, log=space.log)


def _param(space: Space, value: object) -> object:
    if not isinstance(space, Choice):
        return value
    return word(tuple(value) if isinstance(value, list) else value)  # type: ignore[arg-type]  # one of the values
