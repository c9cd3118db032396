"""What training refuses, a trained model refuses too: the same images, codes and conditions, in one sentence."""

import numpy as np
import pytest
import torch

import diabolo
from diabolo import corruptions, zoo
from diabolo.data import as_images
from diabolo.errors import DiaboloError
from diabolo.priors import CodePrior
from diabolo.updates.loss import already_checked

SHAPE = (1, 8, 8)
X = torch.rand(6, *SHAPE, generator=torch.Generator().manual_seed(0))
SMALL = {"net": "mlp", "hidden": (16,), "latent_dim": 3}


def solved():
    model = diabolo.pca.PCA(SHAPE, 3)
    model.solve(X.numpy())
    return model


MODELS = {
    "autoencoder": lambda: zoo.undercomplete(SHAPE, **SMALL),
    "vae": lambda: zoo.vae(SHAPE, **SMALL),
    "pca": solved,
}
DOORS = {
    "encode": lambda model, x: model.encode(x),
    "reconstruct": lambda model, x: model.reconstruct(x),
    "loss": lambda model, x: model.loss(x).total,
    "corrupt": lambda model, x: model.corrupt(x),
    "observe": lambda model, x: model.observe(x),
    "sample_codes": lambda model, x: model.sample_codes(x),
}
WRONG = {
    "bytes as floats": (lambda: (255 * X).round(), "run from .* to 25.; divide them by 255"),
    "bytes as doubles of numpy": (lambda: (255 * X).double().numpy(), "divide them by 255"),
    "centred": (lambda: 2 * X - 1, r"\(x \+ 1\) / 2"),
    "standardised": (lambda: (X - 0.5) / 0.1, "scale them"),
    "NaN": (lambda: torch.where(X > 0.9, torch.nan, X), "images hold NaN or infinity"),
    "infinite": (lambda: torch.where(X > 0.9, torch.inf, X), "images hold NaN or infinity"),
    "whole numbers": (lambda: (255 * X).long(), "not torch.int64"),
    "of another shape": (lambda: X[..., :7], r"expected images \(N, 1, 8, 8\)"),
    "without a batch": (lambda: X[0], r"expected images \(N, 1, 8, 8\)"),
    "a number": (lambda: torch.tensor(0.5), "expected images"),
    "objects": (lambda: np.array([None, 1]), "must be an array or a tensor of numbers, not ndarray"),
    "text": (lambda: "digits", "must be an array or a tensor of numbers, not str"),
    "lists of unequal length": (lambda: [[1.0], [1.0, 2.0]], "must be an array or a tensor of numbers, not list"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("kind", MODELS)
def test_every_door_refuses_what_training_refuses(kind, wrong, tmp_path):
    model, (make, told) = MODELS[kind](), WRONG[wrong]
    for name, door in DOORS.items():
        if not hasattr(model, name):
            continue
        with pytest.raises(DiaboloError, match=told) as error:
            door(model, make())
        assert not str(error.value).endswith(".")
    if isinstance(make(), torch.Tensor) and wrong not in (
        "whole numbers",
        "of another shape",
        "without a batch",
        "a number",
    ):
        with pytest.raises(DiaboloError):
            diabolo.fit(model, np.asarray(make()), out=tmp_path, quiet=True)


@pytest.mark.parametrize("kind", MODELS)
def test_every_form_of_the_same_images_gives_the_same(kind):
    model = MODELS[kind]()
    bytes_ = (255 * X).round().to(torch.uint8)
    floats = bytes_.float() / 255
    for form in (bytes_.numpy(), floats.numpy(), floats.double(), floats.flip(0).numpy()[::-1]):
        torch.testing.assert_close(model.encode(form), model.encode(floats), rtol=0, atol=1e-6)
    others = floats.numpy().astype(">f4"), np.asfortranarray(bytes_.numpy()), as_images(bytes_), floats.tolist()
    for form in others:  # the other byte order and layout, Images, lists
        torch.testing.assert_close(model.encode(form), model.encode(floats), rtol=0, atol=1e-6)
    hair = floats.clamp(0, 1) + 2e-4 * torch.sign(floats - 0.5)
    torch.testing.assert_close(model.encode(hair), model.encode(floats), rtol=0, atol=1e-2)
    assert model.encode(floats[:0]).shape == (0, 3)
    assert model.reconstruct(bytes_[:0]).shape == (0, *SHAPE)


def test_the_loss_takes_what_encode_takes():
    model = MODELS["vae"]()
    bytes_ = (255 * X).round().to(torch.uint8)
    torch.manual_seed(0)
    one = model.loss(bytes_).total
    torch.manual_seed(0)
    assert torch.equal(one, model.loss(bytes_.float() / 255).total)
    with pytest.raises(DiaboloError, match="there are none"):
        model.loss(X[:0])


@pytest.mark.parametrize("kind", MODELS)
def test_codes_that_hold_nan_are_refused(kind):
    model = MODELS[kind]()
    for bad in (torch.nan, -torch.inf):
        with pytest.raises(DiaboloError, match="1 of 2 codes hold NaN or infinity"):
            model.decode(torch.tensor([[0.0, 0.0, 0.0], [0.0, bad, 0.0]]))
    with pytest.raises(DiaboloError, match=r"expected codes \(N, 3\)"):
        model.decode(torch.zeros(3))


def test_what_a_model_is_conditioned_on_is_looked_at_everywhere():
    model = zoo.cvae(SHAPE, classes=3, **SMALL)
    good = torch.tensor([0, 1, 2, 0, 1, 2])
    for wrong, told in ((good + 1, "none of the 3 classes"), (good.float(), "whole number"), (good - 1, "not known"),
                        (good[:4], "there are 6"), (good - 7, "none of the 3 classes")):  # fmt: skip
        for ask in (model.encode, model.reconstruct, lambda x, y: model.loss(x, y=y)):
            with pytest.raises(DiaboloError, match=told):
                ask(X, wrong)
        with pytest.raises(DiaboloError):
            model.sample(6, y=wrong)
        with pytest.raises(DiaboloError):
            model.decode(torch.zeros(6, 3), wrong)


def test_a_batch_of_which_no_label_is_known_has_a_loss():
    model = zoo.joint(SHAPE, classes=3, **SMALL)
    assert model.loss(X, y=torch.full((6,), -1)).total.isfinite()
    with pytest.raises(DiaboloError, match="none of the 3 classes"):
        model.loss(X, y=torch.tensor([-1, -1, 0, 1, 2, 3]))


def test_a_model_takes_the_copies_that_its_own_corruption_makes():
    for corruption in (corruptions.GaussianNoise(0.5, clip=False), corruptions.Dropout(0.8), corruptions.Masking(0.5)):
        model = zoo.denoising(SHAPE, corruption=corruption, **SMALL)
        assert model.reconstruct(model.corrupt(X)).isfinite().all()
        with pytest.raises(DiaboloError, match="divide them by 255"):
            model.reconstruct(255 * X)


def test_a_prior_refuses_codes_that_there_are_not():
    prior = CodePrior(5, (2, 2), width=8, layers=1, heads=1)
    codes = torch.tensor([[[[0, 1], [2, 4]]]], dtype=torch.uint8)
    assert prior.loss(codes).total.isfinite()
    for wrong, told in (
        (codes + 1, "none of the 5 codes"),
        (codes.float(), "must lie in"),
        (codes[:0], "there are none"),
    ):
        with pytest.raises(DiaboloError, match=told):
            prior.loss(wrong)


def test_training_steps_do_not_look_again(monkeypatch):
    """A step on a GPU must not wait for the numbers of its images."""
    looked = []
    monkeypatch.setattr(diabolo.autoencoder, "as_pixels", lambda x, *rest: looked.append(1) or x)
    model = MODELS["vae"]()
    with already_checked():
        model.loss(X)
        assert not looked
    model.loss(X)
    assert looked
