"""What a score says of itself in a table."""

from diabolo.metrics.score import Score


def test_what_is_counted_where_it_is_not_images():
    pairs = Score(1.0, "pixels", 100, "test", setting={"counted": "pairs of test images"})
    assert pairs.of == "100 pairs of test images"
    assert Score(1.0, "numbers", 1, "train", setting={"counted": "model"}).of == "1 model"
    assert Score(1.0, "pixels", 1000, "test").of == "1,000 test"
