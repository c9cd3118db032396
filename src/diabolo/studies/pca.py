# %% [markdown]
# # Autoencoders against principal components
#
# (being written)

# %%
from diabolo import figures, zoo
from diabolo.studies import Row, Study

# %% tags=["parameters"]
study = Study(
    "pca",
    data="mnist",
    n_train=60_000,
    n_test=10_000,
    epochs=15,
    quick={"n_train": 2_000, "n_test": 500, "epochs": 2},
)
train, test = study.data()


# %% [markdown]
# ## 3.2 Two principal components
# PCA finds the directions in which the images vary most; two of them make a map.


# %%
@study.row("3.2", "PCA with two components: the map, and images along the axes")
def components(row: Row) -> None:
    pca = study.train(zoo.pca, train, test, latent_dim=2)
    codes = pca.subject.codes("test")
    row.figure("map", figures.latent_scatter(codes, test.labels), "Test images by their two principal components.")
    error = pca.measure("reconstruction").scores
    print(list(error))
