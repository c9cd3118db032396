"""The linear autoencoder finds the subspace of PCA (Baldi & Hornik 1989), in float64 and through the library's own loss."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from diabolo import likelihoods, zoo
from diabolo.pca import PCA
from diabolo.randomness import Draws, generator
from diabolo.runs.loading import load

K = 3


@pytest.fixture(scope="module")
def digits():
    return torch.from_numpy(load_digits().data[:300]) / 16  # (300, 64) float64


def largest_angle(one, other):
    """Degrees between two subspaces of the columns of (D, k): the largest principal angle."""
    q, r = (np.linalg.qr(np.asarray(basis, dtype=np.float64))[0] for basis in (one, other))
    return float(np.degrees(np.arcsin(min(1.0, np.linalg.norm(q - r @ (r.T @ q), 2)))))


def subspace(x):
    """The first K right singular vectors (D, K) of the centred data: PCA by its definition."""
    return np.linalg.svd(x.numpy() - x.numpy().mean(0), full_matrices=False)[2][:K].T


def test_the_angle_is_measured_rightly():
    e = np.eye(4)
    turned = np.stack([e[:, 0], np.cos(0.3) * e[:, 1] + np.sin(0.3) * e[:, 2]], 1)
    assert largest_angle(e[:, :2], turned) == pytest.approx(np.degrees(0.3))
    assert largest_angle(e[:, :2], e[:, [1, 0]]) < 1e-12
    assert largest_angle(e[:, :2], e[:, 2:]) == pytest.approx(90)


def test_trained_to_the_end_its_decoder_spans_the_principal_subspace(digits):
    torch.manual_seed(0)
    model = zoo.linear((64,), K).double()
    to_code, to_raw = model.bottleneck.to_code, model.decoder.to_raw
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=300, history_size=50, line_search_fn="strong_wolfe",
                                  tolerance_grad=1e-12, tolerance_change=1e-15)  # fmt: skip

    def closure():  # the model's own layers, all in float64 (its bottleneck and likelihood would round to float32)
        optimizer.zero_grad()
        error = (model.decoder(to_code(model.encoder(digits))) - digits).square().mean()
        error.backward()
        return error

    optimizer.step(closure)
    assert largest_angle(to_raw.weight.detach(), subspace(digits)) < 0.1
    pca = PCA((64,), K)
    pca.solve(digits.float().numpy())
    best = (pca.reconstruct(digits.float()) - digits).square().mean().item()
    assert closure().item() == pytest.approx(best, rel=1e-5)
    # and what the library says of it is the same
    assert model.float().loss(digits.float()).total.item() == pytest.approx(best, rel=1e-4)


def test_it_is_linear_and_one_matrix_each_way():
    model = zoo.linear((1, 8, 8), 3)
    assert sum(p.numel() for p in model.parameters()) == 64 * 3 + 3 + 3 * 64 + 64
    z = torch.randn(4, 3)
    assert torch.allclose(model.decode(2 * z) - model.decode(z), model.decode(z) - model.decode(0 * z), atol=1e-5)
    for likelihood in (None, "squared-error"):
        assert zoo.linear((1, 8, 8), 3, likelihood=likelihood).likelihood.output == "linear"
    assert isinstance(zoo.linear((1, 8, 8), 3, likelihood="gaussian").likelihood, likelihoods.Gaussian)


@pytest.mark.filterwarnings("ignore:no bottleneck")
@pytest.mark.parametrize(
    ("name", "options", "share"),
    [
        ("linear", {"latent_dim": 16}, 0.3),
        ("unet", {"latent_dim": 16, "channels": (8, 16)}, 0.05),
        ("unet", {"latent_dim": 16, "channels": (8, 16), "skips": False}, 0.2),
        ("denoising_conv", {"level": 0.1}, 0.2),
        ("undercomplete", {"latent_dim": 16, "net": "resnet", "norm": "group", "channels": (16,)}, 0.1),
        ("undercomplete", {"latent_dim": 16, "net": "vq-conv", "width": 32}, 0.25),
        ("undercomplete", {"latent_dim": 16, "net": "conv-pool"}, 0.1),
        ("undercomplete", {"latent_dim": 16, "net": "mlp-512-256-128"}, 0.2),
        ("vae", {"latent_dim": 16, "net": "unet", "beta": 0.01}, 0.05),
    ],
)
def test_sixty_four_digits_are_learnt_by_heart(name, options, share, digits):
    x = digits[:64].float().view(64, 1, 8, 8)
    torch.manual_seed(0)
    model = zoo.build(name, (1, 8, 8), **options)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    draws = Draws(generator(0, "test"))
    for _ in range(150):
        optimizer.zero_grad()
        model.loss(x, draws).total.backward()
        optimizer.step()
    # far better than the best that knows nothing of each image: their mean
    assert (model.reconstruct(x) - x).square().mean() < share * (x.mean(0) - x).square().mean()


def test_a_pair_by_dotted_path_trains_from_the_command_line(tmp_path, monkeypatch, capsys):
    from diabolo.cli.main import main

    monkeypatch.chdir(tmp_path)
    words = ["train", "vae", "--net", "custom", "--encoder", "user_cones:Encoder", "--decoder", "user_cones:Decoder"]
    words += ["--latent-dim", "5", "--n-train", "100", "--epochs", "1", "--batch-size", "50", "--quiet", "--no-figures"]
    main([*words, "--decoder-args", '{"code": 5, "shape": [1, 8, 8]}'])
    assert load(tmp_path / "runs/0001-vae-digits").decode(torch.zeros(2, 5)).shape == (2, 1, 8, 8)
    with pytest.raises(SystemExit) as end:
        main([*words, "--decoder-args", '{"code": 5, "shape": [1, 9, 9]}'])
    assert end.value.code != 0
    assert "expected (N, 1, 8, 8), found (N, 1, 9, 9)" in capsys.readouterr().err
