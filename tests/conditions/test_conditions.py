"""Each condition: what the cones are told, what is refused, and that it comes back from a run folder."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diabolo import nets, parts, zoo
from diabolo.conditions import CONDITIONS, Embedding, Label, Quarter, Unconditional, Vector, as_condition
from diabolo.errors import DiaboloError

SHAPE = (1, 8, 8)
EVERY = {
    "none": (Unconditional(), None),
    "label": (Label(3), torch.tensor([0, 2, 1, 2])),
    "embedding": (Embedding(3, 5), torch.tensor([0, 2, 1, 2])),
    "attributes": (Vector("attributes", 6), torch.rand(4, 6).round()),
    "factors": (Vector("factors", 2), torch.rand(4, 2)),
    "quarter": (Quarter(SHAPE), None),
}
every = pytest.mark.parametrize(("condition", "y"), EVERY.values(), ids=EVERY)


def test_a_label_is_one_hot_for_both_cones():
    (encoder,), (decoder,) = Label(4)(torch.tensor([2, 0]))
    assert encoder.tolist() == decoder.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]


def test_an_embedding_is_a_row_of_its_table_and_learns():
    condition = Embedding(4, 3)
    labels = torch.tensor([2, 0, 2])
    (encoder,), (decoder,) = condition(labels)
    assert torch.equal(encoder, condition.vectors.weight[labels])
    assert torch.equal(encoder, decoder)
    encoder.sum().backward()
    assert condition.vectors.weight.grad[:, 0].tolist() == [1, 0, 2, 0]


@pytest.mark.parametrize("condition", [Label(4), Embedding(4, 3)])
def test_an_unknown_label_says_nothing(condition):
    (c,), _ = condition(torch.tensor([-1, 1]))
    assert c[0].abs().sum() == 0
    assert c[1].abs().sum() > 0


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(2, 9), st.integers(2, 9), st.sampled_from(sorted(CONDITIONS)))
def test_a_quarter_is_cut_from_its_corner(channels, height, width, name):
    if not name.startswith("quarter"):
        return
    x = torch.arange(2.0 * channels * height * width).view(2, channels, height, width)
    condition = as_condition(name, (channels, height, width))
    (), (c,) = condition(condition.pick(x, None))
    assert c.shape == (2, condition.to_decoder) == (2, channels * (height // 2) * (width // 2))
    rows = [r for r in range(height) if (r < height // 2 if "upper" in name else r >= height - height // 2)]
    columns = [q for q in range(width) if (q >= width - width // 2 if "right" in name else q < width // 2)]
    assert torch.equal(c, x[:, :, rows][:, :, :, columns].reshape(2, -1))
    assert condition.to_encoder == 0


def test_the_quarter_of_study_2_5_is_the_lower_left_one():
    x = torch.zeros(1, 1, 28, 28)
    x[:, :, 14:, :14] = 1
    condition = as_condition("quarter", (1, 28, 28))
    (), (c,) = condition(x)
    assert c.shape == (1, 196)
    assert c.min() == 1
    assert torch.equal(condition((x * 255).to(torch.uint8))[1][0], c)  # images as they come from disk


def test_a_quarter_is_taken_from_the_image_whatever_else_is_known():
    x, labels = torch.rand(3, *SHAPE), torch.tensor([0, 1, 2])
    assert Quarter(SHAPE).pick(x, labels) is x


@every
@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_both_nets_take_it_and_it_matters(condition, y, net):
    torch.manual_seed(0)
    model = zoo.vae(SHAPE, 3, net=net, condition=condition)
    x = torch.rand(4, *SHAPE)
    loss = model.loss(x, y=y)
    loss.total.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert model.encode(x, y).shape == (4, 3)
    assert model.reconstruct(x, y).shape == x.shape
    rows = {type(r.output) for r in model.summary().rows}
    assert rows == {tuple}
    if condition.to_decoder:
        told = x if y is None else y
        other = told.flip(0)
        z = torch.zeros(4, 3)
        assert not torch.equal(model.decode(z, told), model.decode(z, other))
        assert torch.equal(model.decode(z, told).flip(0), model.decode(z, other))
        assert torch.equal(model.sample(4, 1, told[:1]), model.sample(4, 1, told[:1].expand(4, *told.shape[1:])))


@every
def test_it_comes_back_from_a_description(condition, y):
    again = parts.build(json.loads(json.dumps(parts.describe(condition))))
    again.load_state_dict(condition.state_dict())
    told = torch.rand(4, *SHAPE) if y is None else y
    for one, other in zip(again(told), condition(told), strict=True):
        assert len(one) == len(other)
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert (again.needs_column, again.to_encoder, again.to_decoder) == (
        condition.needs_column, condition.to_encoder, condition.to_decoder,
    )  # fmt: skip


def test_none_gives_exactly_the_model_without():
    torch.manual_seed(0)
    plain = nets.build("mlp", SHAPE, 4)
    torch.manual_seed(0)
    told = nets.build("mlp", SHAPE, 4, (0, 0))
    for one, other in zip(plain, told, strict=True):
        assert all(torch.equal(p, q) for p, q in zip(one.parameters(), other.parameters(), strict=True))
    assert isinstance(as_condition(None, SHAPE), Unconditional)


def test_samples_without_a_word_take_each_class_in_turn():
    assert Label(3).default(5, torch.device("cpu")).tolist() == [0, 1, 2, 0, 1]
    assert Unconditional().default(5, torch.device("cpu")) is None
    for condition in (Quarter(SHAPE), Vector("factors", 2)):
        with pytest.raises(DiaboloError, match="need to be given"):
            condition.default(5, torch.device("cpu"))


CVAE = {name: zoo.cvae(SHAPE, 3, hidden=(8,), condition=c) for name, (c, _) in EVERY.items()}
X = torch.rand(2, *SHAPE)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: as_condition("lable", SHAPE), "did you mean 'label'"),
        (lambda: Label(1), "classes must be a whole number of at least 2, not 1"),
        (lambda: Embedding(5, 0), "width must be a whole number of at least 1, not 0"),
        (lambda: as_condition("attributes", SHAPE), "needs to know how many there are: give columns"),
        (lambda: Vector("atributes", 3), "did you mean 'attributes'"),
        (lambda: Vector("factors", 0), "width must be a whole number of at least 1, not 0"),
        (lambda: Quarter(SHAPE, "lower_left"), "did you mean 'lower-left'"),
        (lambda: Quarter((12,)), r"images \(C, H, W\) of 2×2 pixels or more, not \(12,\)"),
        (lambda: Quarter((1, 1, 8)), "2×2 pixels or more"),
        (lambda: CVAE["label"].encode(X), "conditioned on labels: give them as `y`"),
        (lambda: CVAE["label"].encode(X, torch.tensor([0, 3])), "the label 3 is none of the 3 classes 0 … 2"),
        (
            lambda: CVAE["embedding"].encode(X, torch.tensor([0, -2])),
            "the label -2 is none of the 3 classes 0 … 2; -1 stands for one that is not known",
        ),
        (lambda: CVAE["label"].encode(X, torch.tensor([0, -1])), r"1 of 2 labels are not known \(-1\)"),
        (lambda: CVAE["label"].encode(X, torch.tensor([0.0, 1.0])), "one whole number per image"),
        (lambda: CVAE["label"].encode(X, torch.tensor([0, 1, 2])), "2 images or codes but 3 entries"),
        (lambda: CVAE["attributes"].encode(X, torch.zeros(2, 5)), r"attributes \(N, 6\) are wanted, not \(2, 5\)"),
        (lambda: CVAE["factors"].encode(X, torch.full((2, 2), torch.nan)), "the factors hold NaN"),
        (lambda: CVAE["quarter"].sample(2), "give `y`"),
        (lambda: CVAE["quarter"].decode(torch.zeros(2, 3)), "images to complete: give them as `y`"),
        (lambda: CVAE["quarter"].sample(2, y=torch.rand(2, 1, 4, 4)), r"images \(N, 1, 8, 8\) are wanted"),
    ],
)
def test_nonsense_is_refused(make, says):
    with pytest.raises(DiaboloError, match=says):
        make()
