"""What decides a number when nobody names it: a change of one of these changes results, and is to be made on purpose."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import diabolo
import diabolo.metrics.generation  # to be there

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
    "metrics.generation.prdc.spread": {"k": 5},
    "metrics.generation.features.check_features": {"least": 2},
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
    "evaluation.attributes.attributes": {"shown_attributes": ()},
    "evaluation.comparison.compare": {"trust": (), "measures": ()},
    "evaluation.generation.generation": {"manifold_images": 5000, "manifold_k": 5},
    "evaluation.interpolation.interpolation": {"pairs": 100, "steps": 9, "path_neighbours": 10},
    "evaluation.likelihood.likelihood": {"importance_samples": 1000, "nll_images": 1000, "elbo_samples": 10},
    "evaluation.memorisation.memorisation": {"checked": 500},
    "evaluation.probes.probes": {"probe_neighbours": 5, "probe_floors": True},
    "evaluation.reconstruction.reconstruction": {"worst": 8},
    "evaluation.record.evaluate": {"trust": (), "measures": ()},
    "evaluation.stability.stability": {"other_runs": ()},
    "evaluation.usage.usage": {"posterior_draws": 1000},
    "latents.arithmetic.attribute": {"varies": True},
    "latents.arithmetic.of_class": {"varies": True},
    "latents.codes.check_codes": {"least": 1},
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
    "objectives.factor.FactorVAE": {"gamma": 6.4, "width": 1000, "layers": 6, "lr": 1e-4},
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
    "bottlenecks.diagnosis": {
        "ACTIVE": 0.01, "DEAD": 0.01, "DUPLICATE": 0.999, "FEW": 32, "BAD_SHARE": 0.25, "MOST": 1024,
    },
    "bottlenecks.fsq": {"EPS": 1e-3},
    "bottlenecks.gaussian": {"LOGVAR_RANGE": (-20.0, 10.0), "LOG_TAU": 1.8378770664093453},
    "bottlenecks.quantizer": {"MOST_CODES": 2**24},
    "bottlenecks.quantizer_kmeans": {"ROUNDS": 10, "EACH": 64, "CHUNK": 8192},
    "bottlenecks.quantizer_vq": {"TINY": 1e-8, "RESTART": 0.1, "LENGTH": 1e-6},
    "evaluation.arithmetic": {"FITTED": 5000, "MOVED": 200, "SHOWN": 4},
    "evaluation.clustering": {"STARTS": 4, "FITTED": 20_000},
    "evaluation.cost": {"MIB": 1_048_576},
    "evaluation.disentanglement": {"MOST": 256},
    "evaluation.generated": {"WIDE": 512},
    "evaluation.generation": {"MOST": 10_000, "SHOWN": 36, "SUBSET": 1000},
    "evaluation.interpolation": {"GRAPH": 10_000, "SHOWN": 2},
    "evaluation.learned": {
        "LOOKED_AT": 1000, "FITTED_TO": 2000, "DRAWN": 200, "FEWEST": 10,
        "WIDE": 128, "KEPT": 64, "ROUNDING": 1e-12, "EVEN": 10,
    },
    "evaluation.likelihood": {"LEVELS": 256, "TRUSTED": 10},
    "evaluation.memorisation": {"LEAST": 100, "MOST": 500, "SHOWN": 8},
    "evaluation.prior_hole": {"MOST": 1024, "MMD": 5000, "SURGERY": 1000},
    "evaluation.probes": {"SLOW": 2**39},
    "evaluation.rate": {"FLOAT": 32},
    "evaluation.stability": {"MOST": 5000},
    "evaluation.views": {"WHOLE": 1024, "KEPT": 512, "FITTED": 8192, "PIECE": 4096},
    "latents.arithmetic": {"LEFT": 1e-6},
    "latents.codes": {"PIECE": 1024},
    "latents.densities.density": {"NARROWEST": 1e-6},
    "latents.densities.drawing": {"PIECE": 1024},
    "latents.densities.flow": {"HELD_OUT": 0.1, "PATIENCE": 5},
    "latents.densities.gaussian": {"MANY": 10},
    "latents.densities.mixture": {"TRIED": (1, 2, 5, 10, 20, 40)},
    "latents.densities.neighbours": {"PAIRS": 2**24},
    "latents.geodesic": {"TINY": 2.0**-1022},
    "latents.interpolation": {"EPS": 1e-7},
    "latents.nearest": {"LEVEL": 0.01, "BYTES": 2**28},
    "latents.probe": {"PENALTY": 1e-5},
    "latents.projection": {"MOST": {"pca": 100_000, "t-sne": 5000, "umap": 20_000}, "OPEN_TSNE": 20_000},
    "latents.spreading": {"UNKNOWN": -1, "PRECISION": 1e-6},
    "likelihoods.ms_ssim": {"WINDOW": 11, "SIGMA": 1.5, "C1": 1e-4, "C2": 9e-4},
    "metrics.components": {"PIECE": 4096},
    "metrics.disentanglement.dci": {"FITTED": 5000, "TREES": 10},
    "metrics.disentanglement.factor_vae": {"IDLE": 0.01, "VOTES": 800, "GROUP": 64},
    "metrics.disentanglement.information": {"BINS": 20},
    "metrics.disentanglement.sap": {"KINDS": 10},
    "metrics.few_labels": {"NUMBERS": 2**25},
    "metrics.generation.frechet": {"ENOUGH": 10_000, "SPLITS": 4, "WIDE": 256, "NOTHING": 1e-10},
    "metrics.generation.kernel": {"SIZE": 1000, "LEAST": 10},
    "metrics.generation.prdc": {"PAIRS": 2**20, "CLOSE": 1e-12, "SUBSETS": 5},
    "metrics.generation.small_classifier": {
        "FEATURES": 64, "VERSION": 1, "MOST_CHANNELS": 128, "WORK": 90_000_000, "EPOCHS": 20,
    },
    "metrics.importance": {"NUMBERS": {"cpu": 2**20, "cuda": 2**26}},
    "metrics.information": {"PAIRS": 2**22},
    "metrics.logistic": {"STEPS": 500, "SMALL": 2**22, "EXACT": 1e-6, "GRADIENT": 1e-4, "TOGETHER": 2**20},
    "metrics.prior_hole": {"PAIRS": 2**22},
    "metrics.probes": {"UNKNOWN": -1},
    "metrics.reconstruction": {"MIDDLE": 0.5, "CONSTANT": 1e-12, "TOGETHER": 2**21},
    "metrics.usage": {"NEAR": 0.001},
}  # fmt: skip
FLAGS = {  # what a class says of itself
    "evaluation.measure.NotApplicable": {"exit_code": 1},
    "evaluation.subject.Subject": {"seed": 0},
    "evaluation.views.View": {"scale": 0.0},
    "latents.densities.density.Density": {"width": 0},
    "metrics.generation.extractors.Own": {"piece": 500},
    "metrics.generation.inception_v3.Inception": {"piece": 50},
    "objectives.layerwise.Layerwise": {"judges_reconstructions": False},
    "objectives.m2.M2": {"marginalises_labels": True},
    "objectives.objective.Objective": {
        "marginalises_labels": False, "judges_reconstructions": True, "trains_decoder": True,
    },
    "objectives.supervised.Supervised": {"judges_reconstructions": False, "trains_decoder": False},
    "bottlenecks.contractive.Contractive": {"differentiates": True},
    "bottlenecks.diagnosis.Finding": {"early": False},
    "bottlenecks.latent.Bottleneck": {"discrete": False, "differentiates": False},
    "bottlenecks.quantizer.Discrete": {"discrete": True},
}  # fmt: skip


def there(name):
    module, _, what = name.rpartition(".")
    return getattr(importlib.import_module(f"diabolo.{module}"), what)


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_are_what_the_documents_say(name):
    parameters = inspect.signature(there(name)).parameters
    assert {option: parameters[option].default for option in DEFAULTS[name]} == DEFAULTS[name]


def modules():
    """(name, syntax tree) of every module of these rooms."""
    source = Path(diabolo.__file__).parent
    for room in ("metrics", "evaluation", "latents", "objectives", "bottlenecks"):
        for file in (source / room).rglob("*.py"):
            name = ".".join(file.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
            yield name, ast.parse(file.read_text(encoding="utf-8"))


def test_every_seed_is_0_when_nobody_names_one():
    seeds = {}
    for name, tree in modules():
        for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
            given = function.args
            pairs = [*zip(reversed(given.args), reversed(given.defaults), strict=False)]
            pairs += zip(given.kwonlyargs, given.kw_defaults, strict=True)
            seeds |= {
                f"{name}.{function.name}": ast.unparse(d) for arg, d in pairs if arg.arg == "seed" and d is not None
            }
    assert set(seeds.values()) == {"0"}, seeds
    assert len(seeds) > 20


@pytest.mark.parametrize("module", SETTINGS)
def test_settings_are_what_the_documents_say(module):
    assert {name: there(f"{module}.{name}") for name in SETTINGS[module]} == SETTINGS[module]


def test_every_setting_is_listed():
    """Numbers in capitals at the top of a module of these rooms."""
    missing = []
    for module, tree in modules():
        targets = [target for one in tree.body if isinstance(one, ast.Assign) for target in one.targets]
        for name in [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]:
            if isinstance(there(f"{module}.{name}"), int | float) and name not in SETTINGS.get(module, {}):
                missing.append(f"{module}.{name}")
    assert missing == []


@pytest.mark.parametrize("name", FLAGS)
def test_a_class_says_what_it_does(name):
    assert {flag: vars(there(name))[flag] for flag in FLAGS[name]} == FLAGS[name]
