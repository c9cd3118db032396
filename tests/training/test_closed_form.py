import numpy as np

from diabolo import fit, zoo
from diabolo.data import Images
from diabolo.pca import PCA


def test_the_seed_of_the_training_is_that_of_the_solver(tmp_path, tiny_pixels, monkeypatch):
    seeds = []
    solve = PCA.solve
    monkeypatch.setattr(PCA, "solve", lambda model, x, seed=0: seeds.append(seed) or solve(model, x, seed))
    train = Images(tiny_pixels(40))
    runs = [fit(zoo.pca(train.shape, 3), train, out=tmp_path, seed=seed, quiet=True) for seed in (0, 7)]
    assert seeds == [0, 7]
    assert np.allclose(*(run.model.components.numpy() for run in runs), atol=1e-4)
