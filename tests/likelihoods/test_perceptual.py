"""Features of a frozen network: of a run, of VGG, of any part; and what becomes of them in a run folder."""

import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import diabolo
from diabolo import nets, parts, zoo
from diabolo.errors import DiaboloError
from diabolo.likelihoods import VGG16, Perceptual, as_likelihood
from diabolo.runs import files

SHAPE = (1, 8, 8)


def encoder(seed=0, **options):
    torch.manual_seed(seed)
    return nets.build("conv", SHAPE, 4, channels=(4, 6), **options)[0]


@pytest.fixture
def run(tmp_path, tiny_pixels, tiny_model):
    """A finished run whose encoder gives features."""
    x = tiny_pixels(40)
    return diabolo.fit(
        tiny_model("undercomplete", net="conv"), x, epochs=1, batch_size=20, out=tmp_path, quiet=True
    ).path


def test_it_is_the_mean_squared_distance_of_each_activation():
    network = encoder().eval()
    x, raw = torch.rand(5, *SHAPE), torch.randn(5, *SHAPE)
    x_hat = torch.sigmoid(raw)
    one, other = network.layers[0](x), network.layers[0](x_hat)
    wanted = (one - other).square().mean((1, 2, 3))
    wanted += (network.layers[1](one) - network.layers[1](other)).square().mean((1, 2, 3))
    wanted += 0.5 * (x - x_hat).square().mean((1, 2, 3))
    likelihood = Perceptual(network, pixel=0.5)
    assert len(likelihood.layers) == 2
    assert torch.allclose(likelihood.loss(raw, x), wanted, rtol=1e-5)
    assert torch.equal(likelihood.mean(raw), x_hat)
    first = Perceptual(network, ("layers.0",), pixel=0.0)
    assert torch.allclose(first.loss(raw, x), (one - other).square().mean((1, 2, 3)), rtol=1e-5)


def test_a_network_without_activations_gives_its_output():
    network = nets.build("mlp", (6,), 2, hidden=())[0]
    x, x_hat = torch.rand(3, 6), torch.rand(3, 6)
    wanted = (network(x) - network(x_hat)).square().mean(1)
    assert torch.allclose(Perceptual(network, pixel=0.0, output="linear").loss(x_hat, x), wanted)


def test_the_features_are_a_copy_that_nothing_moves(tmp_path, tiny_pixels, tiny_model):
    network = encoder()
    before = {name: t.clone() for name, t in network.state_dict().items()}
    model = tiny_model("vae", likelihood=Perceptual(network))
    assert not any(p.requires_grad for p in model.likelihood.parameters())
    assert all(p.requires_grad for p in network.parameters())
    options = {"optimizer": "adamw", "weight_decay": 0.5, "ema": 0.5, "lr": 0.1, "precision": "bf16"}
    diabolo.fit(model, tiny_pixels(40), epochs=2, batch_size=10, out=tmp_path, quiet=True, **options)
    for name, tensor in model.likelihood.network.state_dict().items():
        assert torch.equal(tensor, before[name]), name
        assert torch.equal(network.state_dict()[name], before[name]), name


def test_batch_norm_in_it_is_in_evaluation_mode_while_the_model_trains():
    likelihood = Perceptual(encoder()).train()
    assert likelihood.training
    assert not any(module.training for module in likelihood.network.modules())
    x, raw = torch.rand(4, *SHAPE), torch.randn(4, *SHAPE)
    assert torch.allclose(likelihood.loss(raw, x)[:1], likelihood.loss(raw[:1], x[:1]), rtol=1e-5)


def test_the_gradient_reaches_what_is_scored():
    x, raw = torch.rand(4, *SHAPE), torch.randn(4, *SHAPE, requires_grad=True)
    Perceptual(encoder(), pixel=0.0).loss(raw, x).sum().backward()
    assert raw.grad.abs().sum() > 0


def test_half_precision_is_left():
    x, raw = torch.rand(4, *SHAPE), torch.randn(4, *SHAPE)
    likelihood = Perceptual(encoder())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(likelihood.loss(raw, x), likelihood.loss(raw, x))
        assert likelihood.loss(raw, x).dtype == torch.float32


def test_a_run_with_features_needs_nothing_but_its_own_folder(run, tmp_path, tiny_pixels, tiny_model):
    x = tiny_pixels(40)
    model = tiny_model("undercomplete", likelihood="perceptual", features=str(run), pixel_weight=0.25)
    assert model.likelihood.pixel == 0.25
    assert "0.25 × squared error per pixel" in model.units["reconstruction"]
    done = diabolo.fit(model, x, x, epochs=1, batch_size=20, out=tmp_path, quiet=True)
    for path in run.rglob("*"):
        if path.is_file():
            path.write_bytes(b"")  # the run that the features came from is gone
    again = diabolo.load(done.path)
    images = torch.from_numpy(x[:5]).float() / 255
    assert torch.equal(again.loss(images).total, model.eval().loss(images).total)
    diabolo.resume(done.path, x, x, epochs=2)
    tensors, _ = files.read_tensors(done.path / "model.safetensors")
    assert torch.equal(tensors["likelihood.network.layers.0.0.weight"], model.likelihood.network.layers[0][0].weight)


def test_it_survives_a_description():
    likelihood = Perceptual(encoder(), ("layers.1",), 0.3, "linear")
    again = parts.build(json.loads(json.dumps(parts.describe(likelihood))))
    again.load_state_dict(likelihood.state_dict())
    x, raw = torch.rand(4, *SHAPE), torch.rand(4, *SHAPE)
    assert torch.equal(again.loss(raw, x), likelihood.loss(raw, x))
    assert (again.layers, again.pixel, again.output) == (("layers.1",), 0.3, "linear")


# --- VGG ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Where torchvision keeps weights, without any."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_vgg_without_weights_says_where_to_put_them(hub):
    with pytest.raises(DiaboloError, match=r"checkpoints/vgg16.safetensors: put them there by python -c .*, or"):
        as_likelihood("perceptual", features="vgg16")
    assert not VGG16.at_hand()
    (hub / "vgg16.safetensors").write_bytes(b"half a file")
    assert VGG16.at_hand()
    with pytest.raises(DiaboloError, match="does not hold the weights of VGG-16"):
        as_likelihood("perceptual", features="vgg16")


def test_vgg_is_that_of_torchvision(hub):
    from torchvision.models.vgg import cfgs, make_layers

    torch.manual_seed(0)
    whole = nn.ModuleDict({"features": make_layers(cfgs["D"])})  # random weights under torchvision's names
    save_file(whole.state_dict(), hub / "vgg16.safetensors")
    likelihood = as_likelihood("perceptual", features="vgg16")
    x = torch.rand(2, 3, 32, 32)
    normal = (x - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    with torch.no_grad():
        assert torch.allclose(likelihood.network(x), whole["features"][:16](normal), atol=1e-6)
    assert len(likelihood.layers) == 7
    likelihood.check((1, 28, 28))  # grey images too
    assert likelihood.loss(torch.randn(2, 1, 28, 28), torch.rand(2, 1, 28, 28)).isfinite().all()
    again = parts.build(json.loads(json.dumps(parts.describe(likelihood))))
    again.load_state_dict(likelihood.state_dict())
    assert isinstance(again.network, VGG16)


# --- what cannot be -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: as_likelihood("perceptual"), "--features RUN"),
        (lambda: as_likelihood("perceptual", features="nowhere"), "no folder nowhere"),
        (lambda: Perceptual(encoder(), ("layers.5",)), "unknown layer of the feature network 'layers.5'"),
        (lambda: Perceptual(encoder(), pixel=-1.0), "at least 0, not -1"),
        (
            lambda: zoo.vae((3, 8, 8), 2, likelihood=Perceptual(encoder())),
            r"does not take images .*made for \(1, 8, 8\)",
        ),
        (lambda: zoo.vae(SHAPE, 2, likelihood=Perceptual(encoder(condition=(3, 3)))), "does not take images of shape"),
        (lambda: zoo.vae(SHAPE, 2, features="x"), "features is for the likelihood perceptual"),
    ],
)
def test_nonsense_is_refused(make, says):
    with pytest.raises(DiaboloError, match=says):
        make()


def test_a_run_without_an_encoder_has_no_features(tmp_path, tiny_pixels, tiny_model):
    path = diabolo.fit(tiny_model("pca"), tiny_pixels(40), out=tmp_path, quiet=True).path
    with pytest.raises(DiaboloError, match="without an encoder network"):
        as_likelihood("perceptual", features=str(path))
