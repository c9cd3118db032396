"""What decides a number when nobody names it: a change of one of these changes results, and is to be made on purpose."""

import importlib
import inspect

import pytest

import diabolo.metrics.generation  # noqa: F401  # to be there

DEFAULTS = {
    "metrics.anomaly.separation": {"n_resamples": 200},
    "metrics.clustering.kmeans_agreement": {"starts": 4},
    "metrics.completion.complete": {"k": 10},
    "metrics.cost.pace": {"repeats": 5, "warm_up": 1},
    "metrics.disentanglement.dci.dci": {"trees": 10},
    "metrics.disentanglement.factor_vae.factor_vae_score": {"votes": 800, "group": 64, "bins": 20},
    "metrics.disentanglement.information.binned": {"bins": 20},
    "metrics.generation.asked_for.asked_for": {"per_class": 1000},
    "metrics.generation.prdc.radii": {"k": 5},
    "metrics.generation.prdc.manifold": {"k": 5},
    "metrics.likelihood.nll": {"samples": 5000},
    "metrics.likelihood.negative_elbo": {"samples": 100},
    "metrics.likelihood.elbo_terms": {"samples": 10},
    "metrics.likelihood.bits_per_dimension": {"levels": 1},
    "metrics.probes.nearest_neighbours": {"neighbours": 5},
    "metrics.reconstruction.resolution": {"share": 0.5},
    "metrics.usage.active_units": {"threshold": 0.01},
    "metrics.usage.live_units": {"share": 0.01},
    "metrics.usage.duplicate_codes": {"near": 0.001},
    "evaluation.anomaly.anomaly": {"elbo_samples": 10},
    "evaluation.arithmetic.arithmetic": {"edited": (), "alphas": (-2.0, 0.0, 2.0, 4.0)},
    "evaluation.cost.cost": {"cost_images": 1024, "cost_repeats": 5},
    "evaluation.disentanglement.disentanglement": {"factor_bins": 20},
    "evaluation.few_labels.few_labels": {"few_labels": (10, 30, 100, 300, 1000), "label_draws": 10},
    "evaluation.interpolation.interpolation": {"pairs": 100, "steps": 9, "path_neighbours": 10},
    "evaluation.likelihood.likelihood": {"importance_samples": 1000, "nll_images": 1000, "elbo_samples": 10},
    "evaluation.memorisation.memorisation": {"checked": 500},
    "evaluation.probes.probes": {"probe_neighbours": 5, "probe_floors": True},
    "evaluation.reconstruction.reconstruction": {"worst": 8},
    "evaluation.usage.usage": {"posterior_draws": 1000},
    "latents.densities.flow.Flow": {"transforms": 3, "hidden": 64, "epochs": 50, "most": 20000},
    "latents.densities.mixture.Mixture": {"components": 10, "most": 20000},
    "latents.densities.neighbours.Neighbours": {"k": 5, "scale": 1.0},
    "latents.geodesic.CodeGraph": {"neighbours": 10},
    "latents.grids.over_range": {"n": 20, "share": 0.98},
    "latents.grids.by_quantiles": {"n": 20},
    "latents.nearest.nearest": {"k": 1},
    "latents.posterior.scaled_samples": {"scales": (1.0, 20.0), "n": 8},
    "latents.spreading.label_by_neighbours": {"neighbours": 10, "alpha": 0.99},
    "latents.spreading.neighbour_graph": {"neighbours": 10},
    "latents.spreading.spread": {"alpha": 0.99},
    "latents.stability.neighbourhood_overlap": {"neighbours": 10},
    "latents.stability.cka": {"debiased": True},
    "latents.traversal.traverse": {"reach": 3.0, "steps": 7},
    "objectives.elbo.ELBO": {"reconstruction": 1.0},
    "objectives.iwae.IWAE": {"k": 5},
    "bottlenecks.contractive.Contractive": {"weight": 0.0001, "probes": 1},
    "bottlenecks.contractive.ContractiveLayer": {"weight": 0.0001},
    "bottlenecks.fsq.FSQ": {"levels": (8, 5, 5, 5)},
    "bottlenecks.gaussian.Gaussian": {"beta": 1.0, "free_bits": 0.0},
    "bottlenecks.quantizer_kmeans.kmeans": {"rounds": 10},
    "bottlenecks.quantizer_vq.VectorQuantizer": {
        "codes": 512,
        "commitment": 0.25,
        "codebook_weight": 1.0,
        "decay": 0.99,
        "kmeans": True,
        "restart": 0.1,
    },
    "bottlenecks.regularised.Regularised": {"code_l2": 0.0001, "decoder_l2": 0.0, "gradient_penalty": 0.0},
    "bottlenecks.sparse.Sparse": {"weight": 0.0001},
    "bottlenecks.sparse.KLSparse": {"rho": 0.05, "weight": 0.001},
}
SETTINGS = {
    "bottlenecks.diagnosis": {"ACTIVE": 0.01, "DEAD": 0.01, "DUPLICATE": 0.999, "FEW": 32, "BAD_SHARE": 0.25},
    "bottlenecks.fsq": {"EPS": 1e-3},
    "bottlenecks.quantizer": {"MOST_CODES": 2**24},
    "likelihoods.ms_ssim": {"WINDOW": 11, "SIGMA": 1.5, "C1": 1e-4, "C2": 9e-4},
    "metrics.disentanglement.sap": {"KINDS": 10},
    "metrics.disentanglement.dci": {"FITTED": 5000, "TREES": 10},
    "metrics.disentanglement.factor_vae": {"IDLE": 0.01, "VOTES": 800, "GROUP": 64},
    "metrics.disentanglement.information": {"BINS": 20},
    "evaluation.clustering": {"STARTS": 4, "FITTED": 20_000},
    "evaluation.prior_hole": {"MOST": 1024, "MMD": 5000, "SURGERY": 1000},
    "evaluation.rate": {"FLOAT": 32},
    "evaluation.views": {"WHOLE": 1024, "KEPT": 512, "FITTED": 8192},
    "latents.densities.flow": {"HELD_OUT": 0.1, "PATIENCE": 5},
    "latents.densities.gaussian": {"MANY": 10},
    "latents.densities.mixture": {"TRIED": (1, 2, 5, 10, 20, 40)},
    "latents.nearest": {"LEVEL": 0.01},
    "latents.probe": {"PENALTY": 1e-5},
}


def there(name):
    module, _, what = name.rpartition(".")
    return getattr(importlib.import_module(f"diabolo.{module}"), what)


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_are_what_the_documents_say(name):
    parameters = inspect.signature(there(name)).parameters
    assert {option: parameters[option].default for option in DEFAULTS[name]} == DEFAULTS[name]


def test_every_seed_is_0_when_nobody_names_one():
    from diabolo import evaluation, latents, metrics

    functions = [
        f for room in (evaluation, latents, metrics, metrics.generation) for f in vars(room).values() if callable(f)
    ]
    seeds = {f.__name__: inspect.signature(f).parameters.get("seed") for f in functions if inspect.isroutine(f)}
    assert {
        name for name, seed in seeds.items() if seed is not None and seed.default not in (0, inspect.Parameter.empty)
    } == set()
    assert sum(seed is not None for seed in seeds.values()) > 8


@pytest.mark.parametrize("module", SETTINGS)
def test_settings_are_what_the_documents_say(module):
    found = {name: there(f"{module}.{name}") for name in SETTINGS[module]}
    assert found == pytest.approx(SETTINGS[module]) if "TRIED" not in found else found == SETTINGS[module]
