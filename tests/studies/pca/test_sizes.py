"""Each sentence on the length of the code in each of its outcomes."""

import pytest

from diabolo.studies import Measured, less
from diabolo.studies.pca import sizes


@pytest.mark.parametrize(
    ("ae", "said"),
    [([0.01, 0.0101], "lower by"), ([0.1, 0.101], "higher by"), ([0.0, 0.1], "does not differ significantly")],
)
def test_errors_at_one_size(ae, said):
    a, b = sizes.error("autoencoder", 2), sizes.error("PCA", 2)
    unit = "squared error per pixel"
    pair = Measured.over([value - 0.05 for value in ae], unit)
    found = sizes.latent({a: Measured.over(ae, unit), b: Measured(0.05, unit=unit), less(a, b): pair}, 2)
    assert said in found
    assert "With 2 numbers" in found


def test_equals():
    def found(**needed):
        f = {sizes.as_good_as(int(size[1:])): Measured(k) for size, k in needed.items()}
        return sizes.equals(f, (2, 4, 6))

    ahead = found(_2=5, _4=9, _6=20)
    assert "It takes 5 principal components to match 2 latent variables, 9 to match 4 and 20 to match 6, by" in ahead
    assert "At every size PCA needs more" in ahead
    assert "With 2 numbers the autoencoder is ahead; with 4 and 6 PCA" in found(_2=5, _4=3, _6=2)
    assert "no more at any size" in found(_2=2, _4=3, _6=4)


def test_elbows():
    def found(**at):
        values = [at.get(name) for name in ("pca", "ae", "pca_half", "ae_half")]
        names = [sizes.elbow_to(end, kind) for end in (10, 6) for kind in sizes.KINDS]
        known = {name: Measured(value) for name, value in zip(names, values, strict=True) if value is not None}
        return sizes.elbows(known, (2, 4, 6, 8, 10))

    stays = found(pca=6, ae=4, pca_half=6, ae_half=4)
    moves = found(pca=8, ae=4, pca_half=4, ae_half=4)
    assert "is at 6 for PCA and 4 for the autoencoder. It stays there when the curve ends at 6" in stays
    assert (
        "is at 8 for PCA and 4 for the autoencoder. When the same curve ends at 6 instead of 10, it is at 4 for PCA"
        in moves
    )
    assert "plotted range more than the data" in moves
    assert "The error of the autoencoder does not fall" in found(pca=8, pca_half=4)


def explained(many=0.6, few=0.5, ae=0.9, kept=(10, 20, 30), new=0.93):
    f = {sizes.needed(share): Measured(k) for share, k in zip(sizes.SHARES, kept, strict=True)}
    f |= {sizes.of_part(part, 0.95): Measured(share) for part, share in (("training", 0.951), ("test", new))}
    f |= {"growth of the number of components": Measured(3.04), "components in all": Measured(64)}
    f |= {
        f"5-nearest-neighbour accuracy: {share} % of the variance": Measured(value, 0.01)
        for share, value in ((95, many), (80, few))
    }
    f |= {sizes.explains("autoencoder", d): Measured(ae * d / 4) for d in (2, 3, 4)}
    return sizes.explained(f | {sizes.explains("PCA", 4): Measured(0.4)}, (2, 3, 4))


def test_the_rule_of_explained_variance_and_its_shortcomings():
    said = explained()
    assert "10 for 80 %, 20 for 90 % and 30 for 95 %, of 64 in all" in said
    assert "by a factor of 3.0" in said
    assert (
        "right more often with more of it (for 60.0 % of the test images with 30 components and for 50.0 % with" in said
    )
    assert (
        "here new images have less (95.1 % of the variance of the training images, 93.0 % of that of the test" in said
    )
    assert "here it carries over (95.1 % of" in explained(new=0.949)
    assert (
        "4 latent variables explain 90.0 % of the variance of test images (4 components: 40.0 %), and 4 are the" in said
    )
    assert "no size tried reaches 80 %" in explained(ae=0.7)
    assert "less often with more of it" in explained(many=0.4)
    assert "for 50.0 % with 10, without a significant difference." in explained(many=0.505)
    assert said.endswith("choose the size from the error you can tolerate.")
