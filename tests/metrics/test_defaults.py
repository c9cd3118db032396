"""What decides a number when nobody names it: a change of one of these changes results, and is to be made on purpose."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import diabolo
import diabolo.metrics.generation  # to be there

DEFAULTS = {  # of each function, class and method; seeds have a test of their own
    "metrics.anomaly.separation": {"n_resamples": 200},
    "metrics.probes.attribute_probe": {"l2": None, "scale": None},
    "metrics.clustering.kmeans_agreement": {"starts": 4},
    "metrics.completion.complete": {"k": 10},
    "metrics.cost.pace": {"repeats": 5, "warm_up": 1},
    "metrics.disentanglement.scores.dci": {"trees": 10},
    "metrics.disentanglement.scores.factor_vae_score": {"votes": 800, "group": 64, "bins": 20},
    "metrics.disentanglement.scores.binned": {"bins": 20},
    "metrics.probes.few_label_accuracy": {"l2": None},
    "metrics.generation.certainty.asked_for": {"per_class": 1000},
    "metrics.generation.extractors.Own": {"piece": 500},
    "metrics.generation.features.Features": {"logits": None},
    "metrics.generation.features.check_features": {"least": 2},
    "metrics.generation.frechet.fid": {"of": None},
    "metrics.generation.extractors.Inception": {"name": "inception", "piece": 50},
    "metrics.generation.kernel.polynomial_mmd": {"of": None},
    "metrics.generation.kernel.kid": {"size": 1000, "of": None},
    "metrics.generation.prdc.radii": {"k": 5},
    "metrics.generation.prdc.manifold": {"k": 5, "real_radii": None},
    "metrics.generation.prdc.spread": {"k": 5},
    "metrics.generation.small_classifier.Classifier": {"name": "classifier", "piece": 1000},
    "metrics.importance.importance_sums": {"only": None},
    "metrics.generation.certainty.clearly_read": {"least": 0.9},
    "metrics.generation.groups.kinds": {"groups": 20},
    "metrics.jumps.jumps": {"by": 1.5},
    "metrics.probes.support_vectors": {"cost": 10.0, "unit_length": True},
    "metrics.sharpness.sharpness": {"share": 0.5, "least": 1},
    "metrics.likelihood.nll": {"samples": 5000, "y": None, "rows": None, "observation": None, "only": None},
    "metrics.likelihood.negative_elbo": {"samples": 100, "y": None, "rows": None, "observation": None, "only": None},
    "metrics.likelihood.elbo_terms": {"samples": 10, "y": None, "rows": None, "observation": None, "only": None},
    "metrics.likelihood.bits_per_dimension": {"levels": 1},
    "metrics.logistic.softmax_regression": {"l2": None},
    "metrics.logistic.sigmoid_regression": {"l2": None},
    "metrics.information.mmd_to_normal": {"bandwidth": None},
    "metrics.probes.linear_probe": {"l2": None, "scale": None},
    "metrics.probes.nearest_neighbours": {"neighbours": 5},
    "metrics.reconstruction.per_image": {"similarities": ("ssim", "ms_ssim"), "peak": 1.0},
    "objectives.objective.Model.score": {"weight": None},
    "metrics.reconstruction.resolution": {"share": 0.5},
    "metrics.reconstruction.Totals.of": {"each": None},
    "metrics.score.Score": {
        "split": "test",
        "low": None,
        "high": None,
        "interval": None,
        "better": None,
        "detail": None,
        "df": None,
        "shared": None,
    },
    "metrics.score.Score.mean": {"interval": "Student's t over images"},
    "metrics.usage.active_units": {"threshold": 0.01},
    "metrics.usage.live_units": {"share": 0.01},
    "metrics.usage.duplicate_codes": {"near": 0.001},
    "evaluation.anomaly.anomaly": {"anomalous": None, "elbo_samples": 10},
    "evaluation.arithmetic.arithmetic": {"edited": (), "alphas": (-2.0, 0.0, 2.0, 4.0)},
    "evaluation.attributes.attributes": {"shown_attributes": ()},
    "evaluation.measure.measure": {"heads": None},
    "evaluation.comparison.compare": {"measures": (), "trust": (), "moved": None, "data": None},
    "evaluation.cost.cost": {"cost_images": 1024, "cost_repeats": 5},
    "evaluation.disentanglement.disentanglement": {"factor_bins": 20},
    "evaluation.few_labels.few_labels": {"few_labels": (10, 30, 100, 300, 1000), "label_draws": 10},
    "evaluation.generated.every_kind": {"fit_draws": False},
    "evaluation.generation.generation": {
        "densities": ("prior", "gaussian", "mixture"),
        "fit_draws": False,
        "extractor": "classifier",
        "generated": None,
        "manifold_images": 5000,
        "manifold_k": 5,
    },
    "evaluation.interpolation.interpolation": {
        "pairs": 100,
        "steps": 9,
        "path_neighbours": 10,
        "path_classifier": None,
    },
    "evaluation.likelihood.likelihood": {
        "importance_samples": 1000,
        "nll_images": 1000,
        "elbo_samples": 10,
        "likelihood_of": "own",
    },
    "evaluation.measure.NotApplicable": {"message": ""},
    "evaluation.memorisation.memorisation": {"checked": 500},
    "evaluation.probes.probes": {"probe_neighbours": 5, "probe_floors": True},
    "evaluation.reconstruction.reconstruction": {"worst": 8},
    "evaluation.measuring.Evaluation": {"drawn": ()},
    "evaluation.measuring.evaluate": {
        "model": None,
        "data": None,
        "measures": (),
        "trust": (),
        "encode": None,
        "decode": None,
        "range": None,
        "batch": None,
    },
    "evaluation.stability.stability": {"other_runs": ()},
    "evaluation.subject.Subject": {"run": None},
    "evaluation.subject.Subject.shared": {"chosen": None},
    "evaluation.usage.usage": {"posterior_draws": 1000},
    "evaluation.baselines.View": {"reduced": None, "scale": 0.0},
    "evaluation.baselines.views": {"sampled": None},
    "latents.arithmetic.attribute": {"varies": True},
    "latents.arithmetic.of_class": {"varies": True},
    "latents.arithmetic.probe_normal": {"probe": None},
    "latents.arithmetic.Sweep.drift": {"alpha": None},
    "latents.arithmetic.sweep": {"judge": None, "y": None},
    "latents.codes.check_codes": {"least": 1},
    "latents.codes.decode": {"y": None},
    "latents.densities.density.draw_images": {"y": None},
    "latents.densities.flow.Flow": {"transforms": 3, "hidden": 64, "epochs": 50, "most": 20000},
    "latents.densities.gaussian.Mixture": {"components": 10, "most": 20000},
    "latents.densities.gaussian.Neighbours": {"k": 5, "scale": 1.0},
    "latents.interpolation.CodeGraph": {"neighbours": 10},
    "latents.grids.over_range": {"n": 20, "share": 0.98},
    "latents.grids.by_quantiles": {"n": 20, "codes": None},
    "latents.nearest.nearest": {"k": 1},
    "latents.traversal.scaled_samples": {"scales": (1.0, 20.0), "n": 8},
    "latents.projection.project": {"how": "pca", "most": None},
    "latents.spreading.label_by_neighbours": {"neighbours": 10, "alpha": 0.99},
    "latents.spreading.neighbour_graph": {"neighbours": 10},
    "latents.spreading.spread": {"alpha": 0.99},
    "latents.stability.neighbourhood_overlap": {"neighbours": 10},
    "latents.stability.cka": {"debiased": True},
    "latents.traversal.traverse": {"reach": 3.0, "steps": 7, "most": None, "y": None},
    "objectives.objective.ELBO": {"reconstruction": 1.0},
    "objectives.factor.FactorVAE": {"gamma": 6.4, "width": 1000, "layers": 6, "lr": 1e-4},
    "objectives.hybrid.Hybrid": {"from_prior": 1.0},
    "objectives.iwae.IWAE": {"k": 5, "gradient": "standard"},
    "objectives.objective.Model.state_dict": {"keep_vars": False},
    "objectives.objective.weighted": {"logged": None},
    "bottlenecks.contractive.Contractive": {"weight": 1e-4, "activation": "sigmoid", "probes": 1},
    "bottlenecks.contractive.ContractiveLayer": {"weight": 1e-4, "activation": "sigmoid"},
    "bottlenecks.diagnosis.Finding": {"early": False},
    "bottlenecks.diagnosis.Diagnosis": {"findings": ()},
    "bottlenecks.fsq.FSQ": {"levels": (8, 5, 5, 5)},
    "bottlenecks.relative.RelativeGaussian": {"beta": 1.0, "free_bits": 0.0, "capacity": None},
    "bottlenecks.gaussian.Gaussian": {"beta": 1.0, "free_bits": 0.0, "capacity": None},
    "bottlenecks.latent.Latent": {"posterior": ()},
    "bottlenecks.quantizer.Discrete.attach": {"why_not": ""},
    "bottlenecks.quantizer_vq.kmeans": {"rounds": 10},
    "bottlenecks.quantizer_vq.VectorQuantizer": {
        "codes": 512,
        "codebook": "ema",
        "commitment": 0.25,
        "codebook_weight": 1.0,
        "decay": 0.99,
        "kmeans": True,
        "restart": 0.1,
        "estimator": "straight-through",
    },
    "bottlenecks.identity.Regularised": {"code_l2": 1e-4, "decoder_l2": 0.0, "gradient_penalty": 0.0},
    "bottlenecks.sparse.Sparse": {"weight": 1e-4},
    "bottlenecks.sparse.KLSparse": {"rho": 0.05, "weight": 0.001},
    "evaluation.comparison.Spread": {"interval": None},
    "metrics.perceptual.lpips": {"net": "alex"},
    "metrics.threshold.threshold": {"rate": 0.05},
    "evaluation.protocol.protocols": {"protocol": ()},
    "evaluation.lpips.lpips": {"lpips_net": "alex"},
    "evaluation.protocols.Protocol": {
        "reference": "test",
        "n": None,
        "n_real": None,
        "filter": "Pillow's bicubic filter, antialiased, in one step, where the images have another size",
        "crop": "centre: the shorter side becomes the size, the longer is trimmed at both ends",
        "pixels": "256 steps, as in files of 8 bits",
        "extractor": "inception",
        "weights": "6726825d",
        "dtype": "float32 in model and extractor, float64 from the features on",
        "batches": (1, 7, 16),
        "interval": "95 %, ± 1.96 standard errors, from what each image adds to the distance",
        "used": "",
    },
    "evaluation.screening.screen": {"data": None, "false_alarms": 0.05, "elbo_samples": 10, "trust": ()},
    "latents.duplicates.near_duplicates": {"within": 0.1, "neighbours": 10},
    "evaluation.measure.standing_alone": {"failed": None},
    "evaluation.measuring.images_of": {"trust": ()},
}
SETTINGS = {
    "bottlenecks.diagnosis": {
        "ACTIVE": 0.01, "DEAD": 0.01, "DUPLICATE": 0.999, "FEW": 32, "BAD_SHARE": 0.25, "MOST": 1024,
    },
    "bottlenecks.fsq": {"EPS": 1e-3},
    "bottlenecks.gaussian": {"LOGVAR_RANGE": (-20.0, 10.0), "LOG_TAU": 1.8378770664093453},
    "bottlenecks.quantizer": {"MOST_CODES": 2**24},
    "bottlenecks.quantizer_vq": {"ROUNDS": 10, "EACH": 64, "CHUNK": 8192, "TINY": 1e-8, "RESTART": 0.1, "LENGTH": 1e-6},
    "evaluation.arithmetic": {"FITTED": 5000, "MOVED": 200, "SHOWN": 4},
    "evaluation.clustering": {"STARTS": 4, "FITTED": 20_000},
    "evaluation.cost": {"MIB": 1_048_576},
    "evaluation.disentanglement": {"MOST": 256, "DRAWN": 64},
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
    "evaluation.usage": {"LISTED": 4096},
    "evaluation.baselines": {"WHOLE": 1024, "KEPT": 512, "FITTED": 8192, "PIECE": 4096},
    "latents.arithmetic": {"LEFT": 1e-6, "PENALTY": 1e-5},
    "latents.codes": {"PIECE": 1024},
    "latents.densities.density": {"NARROWEST": 1e-6, "PIECE": 1024},
    "latents.densities.flow": {"HELD_OUT": 0.1, "PATIENCE": 5, "RATE": 1e-3, "BATCH": 256, "STEPS": 8},
    "latents.densities.gaussian": {"MANY": 10, "TRIED": (1, 2, 5, 10, 20, 40), "PAIRS": 2**24},
    "latents.interpolation": {"TINY": 2.0**-1022, "EPS": 1e-7},
    "latents.stability": {"ROUNDING": 1e-12},
    "latents.nearest": {"LEVEL": 0.01, "BYTES": 2**26, "CLOSE": 1e-12},
    "latents.projection": {"MOST": {"pca": 100_000, "t-sne": 5000, "umap": 20_000}, "OPEN_TSNE": 20_000},
    "latents.spreading": {"UNKNOWN": -1, "PRECISION": 1e-6},
    "likelihoods.ms_ssim": {"WINDOW": 11, "SIGMA": 1.5, "C1": 1e-4, "C2": 9e-4},
    "metrics.anomaly": {"Z": 1.9599639845400536, "PRIOR": 5, "BESIDE": 1e-12},
    "metrics.sharpness": {"AROUND": 2},
    "metrics.divergence": {"UNEVEN": 1e-06},
    "metrics.generation.groups": {"GROUPS": 20, "SELDOM": 0.1, "FEWEST": 10},
    "metrics.components": {"PIECE": 4096},
    "metrics.disentanglement.scores": {
        "FITTED": 5000, "TREES": 10,
        "IDLE": 0.01, "VOTES": 800, "GROUP": 64,
        "BINS": 20,
        "KINDS": 10,
    },
    "evaluation.comparison": {"FIRST": 8},
    "metrics.probes": {"TINY": 1e-12, "NUMBERS": 2**25, "UNKNOWN": -1},
    "metrics.generation.frechet": {"ENOUGH": 10_000, "SPLITS": 4, "WIDE": 256, "NOTHING": 1e-10},
    "metrics.generation.kernel": {"SIZE": 1000, "LEAST": 10},
    "metrics.generation.prdc": {"PAIRS": 2**20, "CLOSE": 1e-12, "SUBSETS": 5},
    "metrics.generation.small_classifier": {
        "FEATURES": 64, "VERSION": 2, "MOST_CHANNELS": 128, "WORK": 90_000_000, "EPOCHS": 20,
    },
    "metrics.importance": {"NUMBERS": {"cpu": 2**20, "cuda": 2**26}},
    "metrics.information": {"PAIRS": 2**20},
    "metrics.logistic": {"STEPS": 500, "SMALL": 2**22, "EXACT": 1e-6, "GRADIENT": 1e-4, "TOGETHER": 2**20},
    "metrics.reconstruction": {"MIDDLE": 0.5, "CONSTANT": 1e-12, "TOGETHER": 2**21},
    "metrics.usage": {"NEAR": 0.001},
    "metrics.perceptual": {"LEAST": 32, "PIECE": 32},
    "evaluation.protocol": {"SEED": 0, "STEP": 0.00392156862745098},
    "latents.duplicates": {"PAIRS": 2**24},
}  # fmt: skip
VALUES = (bool, int, float, str, tuple, type(None))  # what is made anew, or done, is no value
FLAGS = {  # what a class says of itself, and is not told
    "evaluation.measure.NotApplicable": {"exit_code": 1},
    "evaluation.subject.Subject": {"seed": 0},
    "latents.densities.density.Density": {"width": 0},
    "objectives.layerwise.Layerwise": {"judges_reconstructions": False},
    "objectives.supervised.M2": {"marginalises_labels": True},
    "objectives.objective.Objective": {
        "marginalises_labels": False, "judges_reconstructions": True, "trains_decoder": True,
    },
    "objectives.supervised.Supervised": {"judges_reconstructions": False, "trains_decoder": False},
    "bottlenecks.contractive.Contractive": {"differentiates": True},
    "bottlenecks.latent.Bottleneck": {"discrete": False, "differentiates": False},
    "bottlenecks.quantizer.Discrete": {"discrete": True},
}  # fmt: skip


def there(name):
    module, _, what = name.rpartition(".")
    return getattr(importlib.import_module(f"diabolo.{module}"), what)


def modules():
    """(name, syntax tree) of every module of these rooms."""
    source = Path(diabolo.__file__).parent
    for room in ("metrics", "evaluation", "latents", "objectives", "bottlenecks"):
        for file in (source / room).rglob("*.py"):
            name = ".".join(file.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
            yield name, ast.parse(file.read_text(encoding="utf-8"))


def documented(name, tree):
    """(name, object) of each function, class and method that a module offers, of which others may say what they leave out."""
    for node in [one for one in tree.body if isinstance(one, ast.FunctionDef | ast.ClassDef)]:
        if not node.name.startswith("_"):
            yield f"{name}.{node.name}", (offered := there(f"{name}.{node.name}"))
            for method in [one for one in getattr(node, "body", []) if isinstance(node, ast.ClassDef)]:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                    yield f"{name}.{node.name}.{method.name}", inspect.getattr_static(offered, method.name)


def test_defaults_are_what_the_documents_say():
    found = {}
    for module, tree in modules():
        for name, offered in documented(module, tree):
            function = getattr(offered, "__func__", offered)
            parameters = inspect.signature(function).parameters.values() if callable(function) else ()
            given = {
                one.name: one.default for one in parameters if isinstance(one.default, VALUES) and one.name != "seed"
            }
            found |= {name: given} if given else {}
    assert found == DEFAULTS


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
    assert not missing, missing


def test_a_class_says_what_it_does():
    """Numbers and truth values in the bodies of classes; where they are parameters, too, `DEFAULTS` has them."""
    found = {}
    for module, tree in modules():
        for node in [one for one in tree.body if isinstance(one, ast.ClassDef) and not one.name.startswith("_")]:
            name = f"{module}.{node.name}"
            own = {flag: value for flag, value in vars(there(name)).items() if isinstance(value, int | float)}
            own = {flag: value for flag, value in own.items() if flag not in DEFAULTS.get(name, {}) and flag[0] != "_"}
            found |= {name: own} if own else {}
    assert found == FLAGS
