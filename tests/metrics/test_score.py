"""What a score says of itself in a table."""

from diabolo.metrics.score import Score


def test_what_is_counted_where_it_is_not_images():
    pairs = Score(1.0, "pixels", 100, "test", setting={"counted": "pairs of test images"})
    assert pairs.of == "100 pairs of test images"
    assert Score(1.0, "numbers", 1, "train", setting={"counted": "model"}).of == "1 model"
    assert Score(1.0, "pixels", 1000, "test").of == "1,000 test"


def test_what_an_interval_is_over():
    def over(how, low=0.1):
        return Score(0.5, "pixels", 10, "test", low, 0.9, how).over

    assert over("Student's t over draws of labels, within 0 … 1") == "draws of labels"
    assert over("Student's t of the ratio of means, over images") == "images"
    assert over("the wider of Wilson, the balls held fixed, and Student's t over 10 subsets") == "10 subsets"
    assert over("Wilson") == "images"
    assert over("Wilson", None) == over(None) == ""
