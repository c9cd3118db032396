"""Cones of a user's own, by path or as objects: tried out before training, kept by import path, refused in a sentence."""

import json

import pytest
import torch
from torch import nn

import user_cones
from diabolo import likelihoods, nets, parts, zoo
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.runs.loading import load
from diabolo.training.fit import fit
from diabolo.trust import trusting

SHAPE = (1, 8, 8)
DECODER = {"code": 5, "shape": SHAPE}
BY_PATH = {
    "net": "custom",
    "encoder": "user_cones:Encoder",
    "decoder": "user_cones:Decoder",
    "encoder_args": {"width": 3},
    "decoder_args": DECODER,
}


def as_objects():
    return {"net": (user_cones.PartEncoder(width=3), user_cones.PartDecoder(**DECODER))}


@pytest.mark.parametrize("name", ["undercomplete", "vae", "contractive"])
@pytest.mark.parametrize("given", ["path", "objects"])
def test_they_train_and_come_back_from_a_run_folder(name, given, tiny_pixels, tmp_path):
    torch.manual_seed(0)
    model = zoo.build(name, SHAPE, latent_dim=5, **(BY_PATH if given == "path" else as_objects()))
    assert model.encoder.features == 3 * 3 * 3
    x = tiny_pixels(40)
    run = fit(model, x, epochs=2, batch_size=20, lr=1e-2, quiet=True, out=tmp_path, device="cpu")
    assert run.history[1]["train"]["total"] < run.history[0]["train"]["total"]
    again = load(run.path)
    assert torch.equal(again.reconstruct(x), run.model.reconstruct(x))
    assert not list(run.path.rglob("*.p*kl")) + list(run.path.rglob("*.pt"))


def test_they_compute_what_the_modules_do():
    model = zoo.undercomplete(SHAPE, 5, **as_objects())
    x, z = torch.rand(2, *SHAPE), torch.randn(2, 5)
    encoder, decoder = model.encoder.module, model.decoder.module
    assert torch.equal(model.encoder(x), encoder(x).flatten(1))
    assert torch.equal(model.decode(z), torch.sigmoid(decoder(z)))
    assert model.encoder.map_shape == (3, 3, 3)


def test_json_text_and_objects_are_the_same_arguments():
    one = nets.build("custom", SHAPE, 5, **{k: v for k, v in BY_PATH.items() if k != "net"})
    text = {k: json.dumps(v) if isinstance(v, dict) else v for k, v in BY_PATH.items() if k != "net"}
    other = nets.build("custom", SHAPE, 5, **text)
    assert [parts.describe(net) for net in one] == [parts.describe(net) for net in other]


def test_a_condition_is_the_second_argument():
    path = BY_PATH | {"decoder_args": {"code": 15, "shape": SHAPE}}
    model = zoo.undercomplete(SHAPE, 5, condition="label", **path)
    x, y = torch.rand(4, *SHAPE), torch.tensor([0, 1, 2, 3])
    assert model.reconstruct(x, y).shape == x.shape
    assert not torch.equal(model.decode(torch.zeros(2, 5), y[:2])[0], model.decode(torch.zeros(2, 5), y[:2])[1])


def test_code_maps_take_the_map_of_the_users_encoder():
    modules = (nn.Conv2d(1, 6, 2, 2), nn.ConvTranspose2d(6, 1, 2, 2))
    encoder, decoder = nets.build(modules, SHAPE, nets.Maps())
    assert (encoder.map_shape, encoder.features) == ((6, 4, 4), 96)
    assert decoder(encoder(torch.rand(2, *SHAPE)).view(2, 6, 4, 4)).shape == (2, *SHAPE)


def test_cones_of_the_library_may_be_given_as_objects_skips_included():
    encoder, decoder = nets.build("unet", SHAPE, 5)
    model = zoo.vae(SHAPE, 5, net=(encoder, decoder))
    assert model.latent_shape == (5 + encoder.skip_features,)
    again = parts.build(json.loads(json.dumps(parts.describe(model))))
    again.load_state_dict(model.state_dict())
    x = torch.rand(2, *SHAPE)
    assert torch.equal(again.reconstruct(x), model.reconstruct(x))


def test_trying_out_disturbs_nothing():
    encoder, decoder = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.BatchNorm1d(64)), user_cones.Decoder(**DECODER)
    encoder[1].eval()
    torch.manual_seed(3)
    zoo.undercomplete(SHAPE, 5, net=(encoder, decoder))
    assert (encoder.training, encoder[1].training, encoder[2].num_batches_tracked.item()) == (True, False, 0)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"encoder": None}, DiaboloError, "needs an encoder and a decoder, each as package.module:Class"),
        ({"encoder": "user_cones.Encoder"}, DiaboloError, "is named as package.module:Class"),
        ({"encoder": "user_conse:Encoder"}, DiaboloError, "'user_conse'.*cannot be imported.*PYTHONPATH"),
        ({"encoder": "user_cones:Encodr"}, UnknownNameError, "did you mean 'Encoder'"),
        ({"encoder": "user_cones:NOT_A_MODULE"}, UnknownNameError, "'NOT_A_MODULE'"),
        ({"encoder": "os:system", "encoder_args": '{"command": "touch hacked"}'}, UnknownNameError, "'system'"),
        ({"encoder_args": "{width: 3}"}, DiaboloError, "JSON object"),
        ({"encoder_args": "[3]"}, DiaboloError, "JSON object"),
        ({"encoder_args": {"widht": 3}}, DiaboloError, "user_cones:Encoder cannot be made with .*widht"),
        ({"encoder_args": {"channels": 3}}, DiaboloError, r"the encoder user_cones:Encoder fails on \(N, 1, 8, 8\)"),
        ({"decoder_args": {"code": 6, "shape": SHAPE}}, DiaboloError, r"decoder user_cones:Decoder fails on \(N, 5\)"),
        (
            {"decoder_args": {"code": 5, "shape": (1, 8, 9)}},
            DiaboloError,
            r"wrong shape for codes \(N, 5\): expected \(N, 1, 8, 8\), found \(N, 1, 8, 9\)",
        ),
        ({"encoder": "user_cones:Wrong", "encoder_args": {"kind": "tuple"}}, DiaboloError, r"must give .*gave tuple"),
        ({"encoder": "user_cones:Wrong", "encoder_args": {"kind": "scalar"}}, DiaboloError, "must give a tensor"),
        ({"encoder": "user_cones:Wrong", "encoder_args": {"kind": "one row"}}, DiaboloError, "must give a tensor"),
        ({"encoder": "user_cones:Wrong", "encoder_args": {"kind": "fails"}}, DiaboloError, "fails on"),
        ({"decoder": "user_cones:Wrong", "decoder_args": {"kind": "larger"}}, DiaboloError, r"found \(N, 1, 9, 9\)"),
        ({"hidden": (3,)}, UnknownNameError, "unknown option 'hidden' of the net 'custom'"),
    ],
)
def test_what_cannot_work_is_one_sentence(options, error, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=says) as caught:
        zoo.undercomplete(SHAPE, 5, **(BY_PATH | options))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("net", [(nn.Flatten(),), [nn.Flatten(), 3], 5])
def test_what_is_no_pair_is_refused(net):
    with pytest.raises(DiaboloError, match="two modules"):
        zoo.undercomplete(SHAPE, 5, net=net)


def test_objects_take_no_options_of_a_net():
    with pytest.raises(DiaboloError, match="leave out hidden"):
        zoo.undercomplete(SHAPE, 5, hidden=(3,), **as_objects())


def test_objects_that_cannot_be_kept_are_refused_before_training(tiny_pixels, tmp_path):
    model = zoo.undercomplete(SHAPE, 5, net=(user_cones.Encoder(), user_cones.Decoder(**DECODER)))
    with pytest.raises(DiaboloError, match=r"Encoder cannot be kept in a run folder.*@diabolo.parts.part"):
        fit(model, tiny_pixels(40), epochs=1, batch_size=20, quiet=True, out=tmp_path)
    assert not list(tmp_path.rglob("config.json"))


def test_loading_says_what_is_missing():
    described = parts.describe(zoo.undercomplete(SHAPE, 5, **as_objects()))
    for name, says in {
        "user_conse.PartEncoder": "'user_conse'.*cannot be imported",
        "user_cones.Vanished": "'user_cones' has no Vanished",
        "user_cones.Wrong": "user_cones.Wrong is not a part: decorate",
        "__main__.Encoder": "must move into a module",
        "nets.Encoder": "unknown part 'nets.Encoder'",
    }.items():
        described["encoder"]["module"]["part"] = name
        with trusting(("user_conse", "user_cones")), pytest.raises(DiaboloError, match=says):
            parts.build(described)


def test_a_part_is_found_in_a_process_that_has_not_imported_it(monkeypatch):
    model = zoo.undercomplete(SHAPE, 5, likelihood=likelihoods.SquaredError(), **as_objects())
    described = json.loads(json.dumps(parts.describe(model)))
    for name in ("PartEncoder", "PartDecoder"):
        monkeypatch.delitem(parts.PARTS, f"user_cones.{name}")
    monkeypatch.delitem(__import__("sys").modules, "user_cones")
    with trusting("user_cones"):
        again = parts.build(described)
    again.load_state_dict(model.state_dict())
    assert torch.equal(again.encode(torch.ones(1, *SHAPE)), model.encode(torch.ones(1, *SHAPE)))
