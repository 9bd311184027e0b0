"""The HTML report, without a browser."""

import copy
import html.parser
import json
import math
import re

import pytest

from cornu.compare.report import report_html, write_report
from cornu.compare.report.highlight import highlighted
from cornu.compare.report.network import network_svg
from cornu.plot.player import player_html, save_player

from .browser.sample_results import digits_results, moons_results

_VOID = {"meta", "link", "input", "br", "img", "hr"}


class Reader(html.parser.HTMLParser):
    """Tags in order, the text of scripts, and that every element is closed where it should be."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.data, self.text = [], [], {}, []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in _VOID:
            self.open.append((tag, dict(attributes)))

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in _VOID:
            assert self.open.pop()[0] == tag

    def handle_data(self, data):
        tag, attributes = self.open[-1] if self.open else ("", {})
        if attributes.get("type") == "application/json":
            self.data[attributes["id"]] = data
        elif tag not in ("script", "style"):
            self.text.append(data)


def read(results):
    return Reader(report_html(results))


def ids(reader):
    return [attributes["id"] for _, attributes in reader.tags if "id" in attributes]


@pytest.mark.parametrize("results", [moons_results, digits_results])
def test_asks_nothing_of_the_network(results):
    text = report_html(results())
    reader = Reader(text)
    policy = next(a["content"] for t, a in reader.tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "unsafe-inline" not in policy.split("script-src")[1]
    for tag, attributes in reader.tags:
        assert "src" not in attributes, tag
        assert not attributes.get("href", "#").startswith(("http", "//")), tag
        assert not any(name.startswith("on") for name in attributes), tag
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text
    assert len(ids(reader)) == len(set(ids(reader)))


def test_sections_in_order():
    reader = read(moons_results())
    sections = [a["id"] for t, a in reader.tags if t == "section" and "id" in a]
    assert sections == [
        *("network", "same-start", "own-habits", "movie", "errors"),
        *("cost", "programs", "differences", "repeat"),
    ]
    links = [a["href"] for t, a in reader.tags if t == "a"]
    assert links[1:] == [f"#{name}" for name in sections]


@pytest.mark.parametrize(
    ("part", "section"),
    [
        ("network", None),
        ("same_start", "same-start"),
        ("own_habits", "own-habits"),
        ("movie", "movie"),
        ("programs", "programs"),
        ("environment", "repeat"),
        ("experiment", None),
        ("frameworks", None),
    ],
)
def test_missing_part_is_left_out(part, section):
    for gone in (True, False):
        results = moons_results()
        if gone:
            del results[part]
        else:
            results[part] = None
        assert section not in ids(read(results))


def test_each_missing_thing_of_a_framework():
    """Nothing that a framework may lack stops the report."""
    full = moons_results()
    for name in ("runs", "timing", "confusion", "wrong", "habits"):
        results = copy.deepcopy(full)
        results["own_habits"]["frameworks"]["torch"][name] = None
        read(results)
    for name in ("loss", "difference", "verdict", "epochs"):
        results = copy.deepcopy(full)
        results["same_start"]["dtypes"]["float64"]["frameworks"]["torch"][name] = None
        read(results)
    results = copy.deepcopy(full)
    results["same_start"]["dtypes"]["float32"] = None
    results["same_start"]["dtypes"]["float64"]["tolerance"] = None
    read(results)


def test_hostile_text_is_escaped():
    hostile = "</script><b onclick='x'>\u2028&amp;\"</style>"

    def spoil(value):
        if isinstance(value, str):
            return value + hostile
        if isinstance(value, list):
            return [spoil(entry) for entry in value]
        if isinstance(value, dict):
            return {
                key: value[key] if key in ("step", "frames") else spoil(value[key]) for key in value
            }
        return value

    results = spoil(moons_results())
    reader = read(results)
    assert "b" in {tag for tag, _ in reader.tags}  # the report's own
    assert not [a for _, a in reader.tags if "onclick" in a]
    for text in reader.data.values():
        json.loads(text)
        assert not set("<>&\u2028") & set(text)
    assert f"Two moons{hostile}" in "".join(reader.text)


def test_data_is_json_without_nan():
    results = moons_results()
    results["own_habits"]["frameworks"]["torch"]["runs"][0]["history"]["loss"][3] = math.nan
    results["same_start"]["dtypes"]["float64"]["frameworks"]["torch"]["loss"][2] = math.inf
    results["own_habits"]["frameworks"]["torch"]["timing"]["epoch_ms"] = math.nan

    def refuse(constant):
        raise AssertionError(constant)

    reader = read(results)
    data = {name: json.loads(t, parse_constant=refuse) for name, t in reader.data.items()}
    steps = data["data-steps"]["float64"][0]["series"][1]["y"]
    assert steps[2] is None
    assert steps[3] is not None
    assert not re.search(r"\bnan\b", "".join(reader.text), re.IGNORECASE)


def test_bands_are_t_intervals():
    results = moons_results()
    runs = [{"seed": i, "history": {"loss": [value]}} for i, value in enumerate((1.0, 2.0, 3.0))]
    results["own_habits"]["frameworks"] = {"torch": {"runs": runs}}
    (chart,) = json.loads(read(results).data["data-habits"])["all"]
    (series,) = chart["series"]
    # standard error 1/sqrt(3), 2 degrees of freedom
    assert series["y"] == [2.0]
    assert series["high"][0] == pytest.approx(2 + 4.302653 / math.sqrt(3), rel=1e-5)
    assert series["low"][0] == pytest.approx(2 - 4.302653 / math.sqrt(3), rel=1e-5)


def test_bands_of_shares_end_at_zero_and_one():
    results = moons_results()
    runs = [{"seed": i, "history": {"accuracy": [value]}} for i, value in enumerate((0.1, 0.95))]
    results["own_habits"]["frameworks"] = {"torch": {"runs": runs}}
    (chart,) = json.loads(read(results).data["data-habits"])["all"]
    (series,) = chart["series"]
    assert (series["low"], series["y"], series["high"]) == ([0.0], [0.525], [1.0])


def diverging():
    results = moons_results()
    torch = results["own_habits"]["frameworks"]["torch"]["runs"] = []
    for seed, (accuracy, loss) in enumerate([(0.9, 0.2), (None, None), (0.94, 0.3)]):
        losses = [0.7, loss, loss]
        history = {"loss": losses, "accuracy": [0.5, accuracy, accuracy]}
        test = {"loss": loss, "accuracy": accuracy}
        torch.append({"seed": seed, "history": history, "test": test})
    return results


def test_runs_that_diverged_are_told_and_left_out():
    results = diverging()
    reader = read(results)
    text = "".join(reader.text).replace("\xa0", " ")
    notice = (
        "PyTorch diverged with its own habits: the loss of 1 of its 3 runs became no number "
        "(seed 1 in epoch 2); no mean has it."
    )
    assert text.index(notice) < text.index("A network of 5,226 parameters")
    assert "92.0 % (66.6 to 100 %)90.0 % to 94.0 %0.2500 \u00b1 0.63532 of 3 (1 diverged)" in text
    assert "(means of the seeds that did not diverge with 95 % intervals)" in text
    charts = json.loads(reader.data["data-habits"])["all"]
    (series,) = [s for c in charts[:1] for s in c["series"] if s["key"] == "torch"]
    assert series["y"] == [0.7, 0.25, 0.25]

    for run in results["own_habits"]["frameworks"]["torch"]["runs"]:
        run["test"] = {"loss": None, "accuracy": None}
    text = "".join(read(results).text)
    assert "the loss of all its 3 runs became no number" in text
    assert "0 of 3 (3 diverged)" in text


@pytest.mark.parametrize("kind", ["same", "rounding", "different"])
def test_verdicts_have_the_terminals_words_and_colours(kind):
    from cornu.compare.amounts import verdict_word

    results = moons_results()
    frameworks = results["same_start"]["dtypes"]["float64"]["frameworks"]
    frameworks["keras"]["verdict"] |= {"kind": kind, "same": kind != "different"}
    word, level = verdict_word(frameworks["keras"]["verdict"])
    assert word == kind
    assert level == {"same": "good", "rounding": "warn", "different": "bad"}[kind]
    assert f'<span class="badge {level}">{word}</span>' in report_html(results)


def test_failures_come_first_and_loudly():
    text = "".join(read(moons_results()).text)
    failed = text.index("Keras on PyTorch failed: the program ended with exit status 1.")
    parts = text.index(
        "Same start, float64 and float32. NumPy and Cornu part at step 1, at the loss. Cause: soft"
    )
    skipped = text.index("scikit-learn was skipped")
    assert failed < parts < skipped < text.index("A network of 5,226 parameters")
    assert "RuntimeError: shapes <2> and <3>" in text


def test_summary_in_words():
    text = "".join(read(digits_results()).text).replace("\xa0", " ")
    assert "trained for 12 epochs in Cornu, PyTorch, Keras, NumPy and scikit-learn." in text
    assert "in float64, the losses of PyTorch, Keras and NumPy lie on Cornu's" in text
    # what parts by rounding is not said to lie on it
    assert (
        "in float32, PyTorch and NumPy part from Cornu by rounding, beyond 1e-4 from step 258 "
        "(epoch 9); in float64 they lie on Cornu's. Keras parts from Cornu by rounding, beyond "
        "1e-4 from step 259 (epoch 9); in float64 it lies on Cornu's. With each" in text
    )
    assert "apart from" not in text
    assert "An epoch takes 1.6 ms in Cornu, 27.4 ms in PyTorch (17\u00d7)" in text


def test_programs_are_cut_by_step_with_their_line_numbers():
    results = moons_results()
    results["programs"] = results["programs"][:1]
    text = report_html(results)
    train = text.split("<h3>Train</h3>")[1].split("<h3>")[0]
    assert re.findall(r'data-n="(\d+)"', train) == ["13", "14", "26", "27"]
    assert train.count("<pre>") == 2


def test_highlighting_keeps_every_character():
    for program in (
        moons_results()["programs"][0]["text"],
        "x = '''a\n  b'''\n",
        "x = (\n",
        "\tif",
    ):
        plain = [re.sub("<[^>]*>", "", line) for line in highlighted(program)]
        import html as escapes

        shown = [escapes.unescape(line) for line in plain]
        assert shown == program.expandtabs(4).removesuffix("\n").split("\n")
    assert highlighted("def f(): ...")[0].startswith(
        '<span class="k">def</span> <span class="d">f<'
    )


def test_network_with_branches():
    network = digits_results()["network"]
    drawing = network_svg(network)
    assert drawing.count("<rect") == len(network)
    # an arrow a connection; the one that passes a row is drawn in two pieces
    connections = sum(len(node["inputs"]) for node in network)
    assert drawing.count('class="arrow"') == connections + 1
    assert drawing.count("marker-end") == connections
    boxes = re.findall(r'<g class="box[^>]*translate\(([\d.]+) ([\d.]+)\)', drawing)
    assert len(set(boxes)) == len(network)


def test_player_page(tmp_path):
    movie = moons_results()["movie"]
    path = save_player(movie, tmp_path / "new" / "moons.html")
    text = path.read_text(encoding="utf-8")
    assert text == player_html(movie)
    assert "http://" not in text
    kept = json.loads(Reader(text).data["data-movie"])
    assert kept["epochs"] == movie["epochs"]
    assert kept["series"][0]["frames"] == movie["series"][0]["frames"]


def test_write_report_makes_its_folder(tmp_path):
    path = write_report({}, tmp_path / "deep" / "report.html")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
