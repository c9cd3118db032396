"""What is shown follows from what was chosen: against the model itself."""

import shlex

import numpy as np
import pytest
import torch

import diabolo
from diabolo import latents
from diabolo.data.unit import to_float
from diabolo.errors import DiaboloError
from diabolo.explorer.desk import Desk
from diabolo.explorer.explored import KEPT, Explored
from diabolo.explorer.likeness import Judge
from diabolo.explorer.opening import open_run, open_runs
from diabolo.explorer.pixels import as_bytes, difference, png, rgba
from diabolo.explorer.state import Place, State
from diabolo.explorer.taking import command_line, figure_of, python_lines


class Waiting:
    """A lane whose jobs wait."""

    def __init__(self):
        self.jobs = []

    def submit(self, key, job, done):
        self.jobs.append(lambda: done(job()))

    def drop(self, owner):
        pass


def test_what_was_asked_for_last_is_shown_last(explored):
    for order in ((True, False), (False, True)):
        quick, slow, shown = Waiting(), Waiting(), []
        desk = Desk([explored], State(), quick, slow, lambda call: call())
        desk.later("map", lambda: "first", shown.append, slow=order[0])
        desk.later("map", lambda: "second", shown.append, slow=order[1])
        desk.later("other", lambda: "other", shown.append, slow=order[1])
        first, second, other = (slow if order[0] else quick).jobs + (slow if order[1] else quick).jobs
        second()
        first()  # it takes longer
        other()
        assert shown == ["second", "other"]
    quick, shown = Waiting(), []
    desk = Desk([explored], State(), quick, Waiting(), lambda call: call())
    desk.later("decoded", lambda: 1, shown.append)
    desk.later("decoded", lambda: 2, shown.append)  # the hand still moves: the first is shown all the same
    for job in quick.jobs:
        job()
    assert shown == [1, 2]


def decoded(model, code):
    return model.decode(torch.tensor(code, dtype=torch.float32).reshape(1, *model.latent_shape))[0].numpy()


def test_the_mean_code_is_shown_first(desk, explored):
    assert np.allclose(desk.shown().images[0], decoded(explored.codec, explored.codes.mean(0)), atol=1e-6)


def test_a_test_image_is_shown_beside_its_reconstruction(desk, explored):
    desk.change(shown=Place(image=5))
    shown = desk.shown()
    assert np.array_equal(shown.original, explored.test.images[5])
    x = torch.from_numpy(explored.test.images[5:6])
    assert np.allclose(shown.images[0], explored.codec.reconstruct(x)[0].numpy(), atol=1e-6)


def test_a_code_in_the_address_is_decoded(desk, explored):
    z = (0.5, -1.0, 0.25, 0.0, 1.5, -0.5)
    desk.change(shown=Place(code=z))
    assert np.allclose(desk.shown().images[0], decoded(explored.codec, z), atol=1e-6)
    assert desk.shown().original is None


def test_the_way_from_a_to_b(desk, explored):
    desk.put("a", Place(image=1))
    desk.put("b", Place(image=2))
    desk.change(t=0.5)
    a, b = explored.codes[[1, 2]].astype(np.float64)
    assert np.allclose(desk.code(explored), (a + b) / 2, atol=1e-6)
    desk.change(way="spherical", t=0.25)
    assert np.allclose(desk.code(explored), latents.spherical(a[None], b[None], 65)[0][16], atol=1e-6)
    desk.change(t=0.0)
    assert np.allclose(desk.code(explored), a, atol=1e-6)


def test_a_direction_is_added_and_apart_from_others_they_stay(desk, explored):
    desk.change(shown=Place(image=3))
    before = desk.code(explored)
    desk.change(attribute="0", strength=2.0)
    has = explored.train.labels == 0
    v = latents.probe_normal(explored.train_codes, has)
    assert np.allclose(desk.code(explored), before + 2 * v, atol=1e-5)
    desk.change(attribute="0", strength=2.0, apart=False)
    assert explored.probability("0", desk.code(explored)[None])[0] > explored.probability("0", before[None])[0]


def test_directions_apart_are_at_right_angles_to_all_others(vae):
    train, test = diabolo.data.load("digits")
    few = train.take(np.flatnonzero(np.isin(train.labels, (0, 1, 2))))
    explored = Explored("three", vae.model, few, test)
    v = explored.direction("0", apart=True)
    for other in ("1", "2"):
        assert abs(v @ explored.direction(other)) < 1e-6 * np.linalg.norm(v)


def test_a_second_run_shows_the_same_image(explored, digits_of, desk_of):
    train, test = diabolo.data.load("digits")
    pca = Explored("pca", digits_of("pca").model, train, test)
    desk = desk_of([explored, pca], State(shown=Place(image=4)))
    shown = desk.shown()
    assert np.allclose(
        shown.images[1], pca.codec.reconstruct(torch.from_numpy(test.images[4:5]))[0].clamp(0, 1), atol=1e-5
    )
    assert np.allclose(shown.differences[0], np.abs(shown.images[0] - shown.images[1]))
    desk.change(shown=Place(code=(0.0,) * 6))  # of no image: what the second makes of what the first shows
    shown = desk.shown()
    again = pca.codec.reconstruct(torch.from_numpy(shown.images[0][None]))[0].clamp(0, 1)
    assert np.allclose(shown.images[1], again, atol=1e-5)


def test_a_second_run_shows_the_test_images_of_the_first(vae, tmp_path, desk_of):
    _, test = diabolo.data.load("digits")
    others, _ = diabolo.data.load("digits", n_train=300, n_test=50)
    turned = diabolo.fit("pca", others, latent_dim=6, out=tmp_path, quiet=True)
    runs = open_runs([vae.path, turned.path])
    assert [len(run.test) for run in runs] == [len(test)] * 2
    for image in (4, 99):
        shown = desk_of(runs, State(shown=Place(image=image))).shown()
        own = turned.model.reconstruct(torch.from_numpy(test.images[image : image + 1]))[0].clamp(0, 1)
        assert np.allclose(shown.images[1], own, atol=1e-5)


@pytest.mark.parametrize("second", ["cvae", "completion", "vqvae", "vae"])
def test_a_second_run_of_another_kind_shows_what_it_can(digits_of, desk_of, second):
    more = {"codes": 16, "width": 8, "residual_width": 4, "latent_dim": 4} if second == "vqvae" else {}
    runs = open_runs([digits_of("undercomplete").path, digits_of(second, **more).path])
    z = "z" + ",".join(["0.5"] * 6)
    words = [{}, {"shown": "3"}, {"shown": z}, {"a": "1", "b": "2", "t": "0.5"}, {"a": z, "b": "2", "t": "0.5"}]
    for chosen in [*words, *(one | {"attribute": "3", "strength": "2"} for one in words)]:
        desk = desk_of(runs, State.of(chosen))
        shown = desk.shown()
        assert shown.images[1].shape == (1, 8, 8), chosen
        if second == "vqvae":  # codes of the codebook, never sums of them
            z_q = runs[1].of_indices(runs[1].indices_of(shown.codes[1]))
            assert chosen == {} or np.allclose(z_q, shown.codes[1], atol=1e-5), chosen
        desk.bring("a", to_float(runs[0].test.images[7]))
        desk.put("b", Place(image=2))
        desk.change(t=0.25)
        assert desk.shown().images[1].shape == (1, 8, 8)


def test_runs_without_a_decoder_are_looked_at_alone(digits_of, vae):
    for pair in ([vae.path, digits_of("classifier").path], [digits_of("classifier").path, vae.path]):
        with pytest.raises(DiaboloError, match="has no decoder to show beside another"):
            open_runs(pair)
    assert not open_run(digits_of("classifier").path).codec.decodes


def test_what_a_model_cannot_show_is_a_sentence(desk, explored):
    said = []
    desk.change(shown=Place(code=(1.0, 2.0)))
    desk.later("decoded", desk.shown, said.append)
    assert "6 numbers, not 2" in said[0]
    desk.change(shown=Place(image=10**6))
    desk.later("decoded", desk.shown, said.append)
    assert said[1] == "there is no test image 1000000"


def test_a_picture_that_was_brought_along_is_a_pin(desk, explored):
    picture = to_float(explored.test.images[7])
    desk.bring("a", picture)
    assert np.allclose(desk.pin("a", explored), explored.codes[7], atol=1e-5)
    assert np.array_equal(desk.pinned("a"), picture)
    desk.put("a", Place(image=2))
    assert np.array_equal(desk.pinned("a"), explored.test.images[2])


def test_the_class_of_a_conditional_model(digits_of):
    run = digits_of("cvae")
    train, test = diabolo.data.load("digits")
    explored = Explored("cvae", run.model, train, test, run.path)
    assert explored.classes == tuple("0123456789")
    z = explored.codes[:1]
    seven = explored.decoded(z, label=7)[0]
    assert np.allclose(seven, run.model.decode(torch.from_numpy(z), torch.tensor([7]))[0].numpy(), atol=1e-6)
    own = explored.decoded(z, image=0)[0]
    assert np.allclose(
        own, run.model.decode(torch.from_numpy(z), torch.from_numpy(test.labels[:1]))[0].numpy(), atol=1e-6
    )


def test_codes_of_a_map_are_replaced(digits_of, desk_of):
    run = digits_of("vqvae", codes=16, width=8, residual_width=4, latent_dim=4)
    train, test = diabolo.data.load("digits")
    explored = Explored("vqvae", run.model, train, test, run.path)
    desk = desk_of(explored, State(shown=Place(image=2)))
    before = explored.indices(2)
    assert np.allclose(explored.of_indices(before), explored.codes[2], atol=1e-5)
    other = int((before.flat[1] + 1) % 16)
    desk.change(swaps=((1, other),))
    assert desk.swapped(explored).flat[1] == other
    assert not np.allclose(desk.code(explored), explored.codes[2])
    desk.change(swaps=((1, 99),))
    with pytest.raises(DiaboloError, match="no place 1 or code 99"):
        desk.code(explored)


def test_the_map_of_codes_is_that_of_what_is_shown(digits_of, desk_of):
    train, test = diabolo.data.load("digits")
    vqvae = digits_of("vqvae", codes=16, width=8, residual_width=4, latent_dim=4)
    fsq = digits_of("fsq", width=8, residual_width=4, latent_dim=None)
    for run in (vqvae, fsq):
        explored = Explored("quantised", run.model, train, test)
        assert len(np.unique(explored.codes[:50], axis=0)) > 1
        desk = desk_of(explored)
        assert np.array_equal(desk.swapped(explored), explored.indices(0))
        desk.change(swaps=((1, 3),))  # of an address that names no image
        put = explored.indices(0)
        put.flat[1] = 3
        assert np.allclose(desk.code(explored), explored.of_indices(put))
        for i in range(20):  # codes that a place on the map, or a prior, gives
            desk.change(shown=Place(code=tuple(explored.codes[i].tolist())), swaps=())
            assert np.allclose(explored.of_indices(desk.swapped(explored)), explored.codes[i], atol=1e-5)
        desk.change(a=Place(image=1), b=Place(image=2), t=0.5, shown=Place(image=3))
        assert np.allclose(desk.shown().codes[0], explored.codes[3], atol=1e-5)  # nothing lies between A and B


def test_a_place_under_the_mouse_has_the_direction_added_too(desk, explored):
    z = np.linspace(-1, 1, 6)
    desk.change(attribute="0", strength=2.0)
    glanced = desk.shown(z).images[0]
    desk.change(shown=Place(code=tuple(z.tolist())))
    assert np.allclose(glanced, desk.shown().images[0], atol=1e-6)
    assert not np.allclose(glanced, decoded(explored.codec, z), atol=1e-3)


def test_likeness_of_a_training_image(explored):
    x = to_float(explored.train.images[11])
    found = Judge(explored)(explored.codes[0].astype(np.float64), x)
    assert found.index[0] == 11
    assert found.distance[0] == 0
    assert found.as_near == 0  # it is 0 away from itself, and no test image is a training image
    far = Judge(explored)(explored.codes[0].astype(np.float64), np.ones_like(x))
    _, usual = latents.nearest(explored.test.at_most(200, 0).images, explored.train.images, 1)
    assert far.as_near == (usual[:, 0] <= far.distance[0] * 8).mean() == 1  # of 64 pixels
    error = np.square(explored.codec.reconstruct(torch.from_numpy(x[None]))[0].numpy() - x).mean()
    assert found.error == pytest.approx(error, rel=1e-4)
    assert found.larger == pytest.approx((explored.errors > error).mean(), abs=0.01)
    by_hand = np.square(explored.codes).sum(1)
    assert found.prior == pytest.approx((by_hand > by_hand[0]).mean(), abs=0.01)


def test_without_images_the_prior_can_be_explored(vae):
    explored = Explored("vae", vae.model)
    assert explored.middle.tolist() == [0] * 6
    assert explored.colours == ()
    assert explored.attributes == ()
    assert explored.decoded(explored.middle[None]).shape == (1, 1, 8, 8)
    low, high = explored.reach
    assert (low == -3).all()
    assert (high == 3).all()
    with pytest.raises(DiaboloError, match="name them by --data"):
        _ = explored.codes


def test_a_run_whose_images_are_gone_is_opened_all_the_same(moved):
    import json

    config = json.loads((moved / "config.json").read_text())
    config["data"]["train"]["origin"]["load"]["name"] = "/nowhere/at/all"
    (moved / "config.json").write_text(json.dumps(config))
    found = open_run(moved)
    assert found.test is None
    assert "name them by --data (" in found.lacks
    assert "/nowhere/at/all" in found.lacks  # and why they are not there


def test_images_of_another_shape_are_refused(vae, tiny_pixels):
    with pytest.raises(DiaboloError, match="is for images"):
        Explored("vae", vae.model, test=diabolo.data.Images(tiny_pixels(5, (1, 4, 4))))


def test_the_lines_make_what_is_shown(desk, explored):
    for chosen in ({"shown": Place(image=3)}, {"attribute": "1", "strength": 1.5}, {"shown": Place(code=(0.1,) * 6)}):
        desk.change(**chosen)
        made: dict = {}
        exec(python_lines(desk), made)  # our own lines
        assert np.allclose(made["image"].numpy(), desk.shown().images[0], atol=1e-5)


@pytest.fixture
def drawn(desk_of, tmp_path, monkeypatch):
    """drawn(run, state): the views of `diabolo explore` that the command for what is shown draws, and what they are told."""
    from diabolo.cli import explore

    def draw(run, **words):
        told = []
        monkeypatch.setattr(explore, "draw", lambda view, path, given: told.append((view, path, given)))
        train, test = diabolo.data.load("digits")
        desk = desk_of(Explored("mine", run.model, train, test, run.path), State.of(words))
        explore.app(shlex.split(command_line(desk))[2:], result_action="return_value")
        (view, path, given), made = told[0], tmp_path / "made.png"
        monkeypatch.undo()
        explore.draw(view, path, given | {"out": made})
        assert made.stat().st_size
        return view, {name: value for name, value in given.items() if value is not None}

    return draw


def test_the_command_is_one_that_there_is(drawn, vae, digits_of):
    assert drawn(vae) == ("traverse", {"images": (0,)})
    assert drawn(vae, a="1", b="2", way="along-data") == ("interpolate", {"images": (1, 2), "ways": ("along-data",)})
    assert drawn(vae, a="1", b="2", shown="4") == ("traverse", {"images": (4,)})
    told = {"attribute": "3", "direction": "probe", "images": (4,)}
    assert drawn(vae, attribute="3", strength="2", shown="4") == ("arithmetic", told)
    view, given = drawn(digits_of("vae", latent_dim=12), attribute="3", strength="2", apart="1")
    assert (view, given["keep"]) == ("arithmetic", tuple("012456789"))
    assert drawn(digits_of("vqvae", codes=16, width=8, residual_width=4, latent_dim=4)) == ("codebook", {})


def test_the_command_of_what_no_command_draws(digits_of, desk_of, tmp_path):
    rows = diabolo.data.as_images(np.random.default_rng(0).random((60, 12)), name="rows")
    run = diabolo.fit("undercomplete", rows, latent_dim=2, hidden=(8,), epochs=1, out=tmp_path, quiet=True)
    desk = desk_of(Explored("rows", run.model, rows, rows, run.path))
    assert command_line(desk) == f"diabolo explore map {run.path}"
    train, test = diabolo.data.load("digits")
    plain = digits_of("completion_plain", latent_dim=None)
    assert command_line(desk_of(Explored("plain", plain.model, train, test, plain.path))).startswith(
        "# this model has no"
    )


def test_the_lines_of_what_leaves_0_and_1(digits_of, desk_of, tmp_path):
    train, test = diabolo.data.load("digits")
    pca = digits_of("pca")
    counts = [
        diabolo.data.Images(i.images.astype(np.float32) * 40, labels=i.labels, name="counts") for i in (train, test)
    ]
    scaled = diabolo.fit("pca", counts[0], latent_dim=6, out=tmp_path, quiet=True, scaling="standard")
    for desk in (
        desk_of(Explored("pca", pca.model, train, test, pca.path), State(shown=Place(code=(3.0,) * 6))),
        desk_of(Explored("counts", scaled.model, *counts, scaled.path), State(shown=Place(code=(30.0,) * 6))),
    ):
        made: dict = {}
        exec(python_lines(desk), made)  # our own lines
        shown = desk.shown().images[0]
        assert np.allclose(made["image"].numpy(), shown, atol=1e-5)
        assert shown.min() == 0


def test_the_figure_is_that_of_what_is_shown(desk, monkeypatch):
    drawn = []
    monkeypatch.setattr("diabolo.figures.strips", lambda rows, title: drawn.append((rows, title)))

    def rows() -> dict:
        figure_of(desk)
        return drawn[-1][0]

    assert {name: len(row) for name, row in rows().items()} == {desk.first.name: 1}
    desk.put("a", Place(image=1))
    desk.put("b", Place(image=2))
    assert {name: len(row) for name, row in rows().items()} == {"linear": 9}
    desk.change(shown=Place(image=2))  # a pin
    assert list(rows()) == ["linear"]
    assert np.allclose(rows()["linear"], desk.strip(9))
    desk.change(shown=Place(image=5))
    assert list(rows()) == ["original", desk.first.name]
    assert np.allclose(rows()[desk.first.name][0], desk.shown().images[0])
    desk.change(t=0.5)
    assert list(rows()) == ["linear"]
    desk.change(attribute="3", strength=1.0)  # which the way does not have
    assert list(rows()) == [desk.first.name]


def test_sheets_of_pixels():
    images = np.zeros((1, 2, 1, 2, 2), np.float32)
    images[0, 0, 0, 0, 1], images[0, 1] = 1.0, 0.5
    sheet = rgba(images)
    assert sheet.shape == (2, 5)
    assert hex(sheet[1, 1]) == "0xffffffff"  # the first row of a picture is the upper one
    assert sheet[0, 2] == 0  # between them nothing
    assert (sheet[0, 3] & 0xFF) == 128
    assert as_bytes(np.full((3, 1, 1), 0.2)).tolist() == [[[51, 51, 51]]]
    assert difference(np.array([[[255]]], np.uint8), np.array([[[0.75]]])).item() == pytest.approx(0.25)
    assert png(images[0])[:4] == b"\x89PNG"


def test_points_are_coloured_by_how_improbable_a_code_is(explored):
    values, names = explored.values("-log density")
    z, train = explored.codes.astype(np.float64), explored.train_codes.astype(np.float64)
    inverse = np.linalg.inv(np.cov(train.T))
    far = np.einsum("ni,ij,nj->n", z - train.mean(0), inverse, z - train.mean(0))
    assert names == ()
    assert np.corrcoef(values, far)[0, 1] > 0.999


def test_what_a_classifier_has_is_shown(digits_of):
    train, test = diabolo.data.load("digits")
    explored = Explored("classifier", digits_of("classifier").model, train, test)
    assert not explored.codec.decodes
    assert "error" not in explored.colours
    assert explored.plane("pca").points.shape == (len(test), 2)


# --- what a conditional model is given, everywhere the same -----------------------------------------------------------------


@pytest.fixture(scope="session")
def conditional(digits_of):
    """Models that are given something: a class, or a quarter of an image."""
    train, test = diabolo.data.load("digits")
    runs = {name: digits_of(name) for name in ("cvae", "completion")}
    return {name: Explored(name, run.model, train, test, run.path) for name, run in runs.items()}


@pytest.mark.parametrize("recipe", ["cvae", "completion"])
@pytest.mark.parametrize(
    ("words", "given"),
    [
        ({"shown": "3"}, 3),
        ({"a": "4", "b": "2", "t": "0.5"}, 4),
        ({"a": "4", "b": "2", "t": "0.5", "label": "7"}, None),
        ({"attribute": "3", "strength": "1.5", "shown": "5"}, 5),
        ({"t": "0.5", "shown": "3"}, 3),
    ],
)
def test_what_a_model_is_given_is_the_same_everywhere(conditional, desk_of, recipe, words, given):
    explored = conditional[recipe]
    desk = desk_of(explored, State.of(words))
    test, image = explored.test, desk.shown().images[0]
    number = 7 if given is None else given
    known = torch.from_numpy(test.images[number : number + 1])
    if recipe == "cvae":
        known = torch.tensor([7]) if given is None else torch.from_numpy(test.labels[number : number + 1])
    z = torch.tensor(desk.code(explored), dtype=torch.float32)[None]
    assert np.allclose(image, explored.codec.decode(z, known)[0].numpy(), atol=1e-5)
    made: dict = {}
    exec(python_lines(desk), made)  # our own lines
    assert np.allclose(made["image"].numpy(), image, atol=1e-5)
    if "b" in words:
        assert np.allclose(desk.strip(9)[4], image, atol=1e-5)
    found = Judge(explored)(desk.code(explored), image, desk.state.label, desk.asked)
    y = known if recipe == "cvae" else None
    code = explored.codec.encode(torch.from_numpy(image[None]), y)
    again = explored.codec.decode(code, known)[0].numpy()
    assert found.error == pytest.approx(float(np.square(again - image).mean()), rel=1e-3)


def test_a_class_that_there_is_not_is_refused(conditional, desk_of):
    with pytest.raises(DiaboloError, match="knows the classes 0 to 9, not 12"):
        desk_of(conditional["cvae"], State(label=12)).shown()
    with pytest.raises(DiaboloError, match="no test image 1000000"):
        desk_of(conditional["completion"], State(label=1_000_000)).shown()


def test_a_model_without_a_code_shows_what_it_makes_of_what_it_is_given(digits_of, desk_of):
    run = digits_of("completion_plain", latent_dim=None)
    train, test = diabolo.data.load("digits")
    explored = Explored("plain", run.model, train, test, run.path)
    desk = desk_of(explored, State(label=4))
    wanted = run.model.decode(torch.zeros(1, 0), torch.from_numpy(test.images[4:5]))[0].numpy()
    assert np.allclose(desk.shown().images[0], wanted, atol=1e-6)
    assert Judge(explored)(explored.middle, wanted, 4).prior is None


def test_draws_are_those_of_the_model(digits_of, explored):
    train, test = diabolo.data.load("digits")
    for recipe, more in (("pca", {}), ("kl_sparse", {"latent_dim": 20}), ("vae", {})):
        model = digits_of(recipe, **more).model
        seen = Explored(recipe, model, train, test)
        assert np.allclose(seen.decoded(seen.drawn(3)[None])[0], model.sample(1, 3)[0].clamp(0, 1).numpy(), atol=1e-5)
        assert seen.has_prior is (recipe == "vae")
        assert (Judge(seen)(seen.middle, seen.decoded(seen.middle[None])[0]).prior is None) is (recipe != "vae")
    assert explored.fitted is explored.fitted  # fitted once, though it is drawn from at each click


def test_numbers_of_other_images_are_not_taken_for_those_of_the_run(vae, desk_of):
    train, test = diabolo.data.load("digits")
    turned = test.take(np.arange(len(test))[::-1])
    explored = open_run(vae.path, (train, turned))
    desk = desk_of(explored, State(shown=Place(image=3)))
    made: dict = {}
    exec(python_lines(desk), made)  # our own lines
    assert np.allclose(made["image"].numpy(), desk.shown().images[0], atol=1e-5)
    assert command_line(desk).endswith("  # and --data as it was given")


def test_a_code_too_long_to_write_down_is_said(digits_of, desk_of):
    class Long(diabolo.codec.PlainCodec):
        def encode(self, x, y=None):
            return torch.as_tensor(x).float().flatten(1).repeat(1, 38)[:, :600]

        def decode(self, z, y=None):
            return z[:, :16].reshape(-1, 1, 4, 4)

    desk = desk_of(Explored("long", Long((1, 4, 4), (600,))))
    assert "600 numbers is too long" in python_lines(desk)


def test_what_was_asked_for_by_a_closed_page_comes_to_nobody(explored):
    posted, said = [], []
    desk = Desk([explored], State(), (lane := Waiting()), lane, posted.append)
    for _ in range(2):
        desk.later("decoded", desk.shown, said.append)
    lane.jobs.pop()()
    desk.close()
    lane.jobs.pop()()
    assert len(posted) == 1
    posted[0]()
    assert not said


def test_planes_through_three_images_are_not_kept_for_ever(explored):
    for last in range(2, 30):
        explored.plane("images", (0, 1, last))
    assert sum(how == "images" for how, _ in explored._planes) <= KEPT
    assert explored.plane("pca") is explored.plane("pca")
