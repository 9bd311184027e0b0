"""`Model.check` and the check before `fit`: what they tell, and that they change nothing."""

import json
import random

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.check import Diagnostic, Findings
from cornu.check.checking import find
from cornu.check.read_fit import facts_of_training
from cornu.check.report import as_json, as_sarif, as_text, line
from cornu.check.rule import registered
from cornu.core.places import Place

X = np.random.default_rng(0).normal(size=(96, 4)).astype("float32")
Y = (np.arange(96) % 3).astype("int32")


def network(last="linear", dropout=0.0, **arguments):
    return cornu.Sequential(
        [
            cornu.Input((4,)),
            layers.Dense(8, activation="relu"),
            layers.Dropout(dropout),
            layers.BatchNormalization(),
            layers.Dense(3, activation=last, **arguments),
        ]
    )


def wrong():
    """A linear output under a loss that expects probabilities."""
    model = network()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def state_of_everything(model):
    return (
        [v.numpy().tobytes() for v in [*model.variables, *model.optimizer.variables]],
        [m.numpy().tobytes() for metric in model.metrics for m in metric.variables],
        np.random.get_state()[1].tobytes(),
        random.getstate(),
        X.tobytes(),
        Y.tobytes(),
    )


def test_check_finds_what_is_wrong_and_says_where(capsys):
    found = wrong().check(X, Y, measure=False)
    assert found.codes == ["C103"]
    assert found.errors[0].place.file == __file__
    assert "C103" in capsys.readouterr().out


def test_checking_changes_nothing():
    cornu.utils.set_random_seed(1)
    model = network("softmax", dropout=0.5)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, epochs=2, verbose=0)
    before = state_of_everything(model)
    history = model.history
    model.check(X, Y, verbose=0)
    assert state_of_everything(model) == before
    assert model.history is history


def trained(check):
    cornu.utils.set_random_seed(7)
    model = network("softmax", dropout=0.5)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    if check == "by hand":
        model.check(X, Y, batch_size=16, verbose=0)
    history = model.fit(X, Y, 16, epochs=3, verbose=0, check=check is True, validation_split=0.25)
    return history.history, [weight.tobytes() for weight in model.get_weights()]


def test_training_is_bit_for_bit_the_same_with_and_without_check():
    assert trained(True) == trained(False) == trained("by hand")


def test_measurements():
    model = wrong()
    facts = facts_of_training(model, X, Y, {"batch_size": 16})
    relu = next(o for o in facts.operations if o.function == "relu")
    values = np.maximum(X @ model.layers[0].kernel.numpy(), 0)
    rows = np.linspace(0, 95, 96).astype(int)
    assert np.isclose(facts.probe.operations[relu].mean, values[rows].mean(), rtol=1e-5)
    assert np.isclose(facts.probe.operations[relu].zeros, (values == 0).mean())
    dense = relu.inputs[0]
    assert facts.probe.operations[dense].gradient > 0
    weight = model.layers[0].kernel.numpy()
    assert np.isclose(facts.probe.operations[dense].weight, np.sqrt((weight**2).mean()))
    before, after = facts.probe.rates[np.float32(0.01).item()]
    assert np.isfinite([before, after]).all()
    assert set(np.round(np.array(list(facts.probe.rates)) / 0.01, 3)) == {0.1, 1.0, 10.0}


def test_fit_says_it_once_and_check_false_silences_it(capsys):
    model = wrong()
    model.fit(X, Y, epochs=1, verbose=0, check=False)
    model.fit(X, Y, epochs=1, verbose=0, check=["C1", "C4"])
    assert capsys.readouterr().err == ""
    for _ in range(3):
        model.fit(X, Y, epochs=1, verbose=0, check=["C4"])
    told = capsys.readouterr().err.splitlines()
    assert len([one for one in told if "C103" in one]) == 1


def test_config_silences_fit_and_codes(capsys):
    try:
        cornu.config.set_check(False)
        wrong().fit(X, Y, epochs=1, verbose=0)
        assert capsys.readouterr().err == ""
        cornu.config.set_check(ignore=["C103"])
        assert wrong().check(X, Y, verbose=0, measure=False).codes == []
        with pytest.raises(ValueError, match="code of a finding"):
            cornu.config.set_check(ignore=["softmax"])
    finally:
        cornu.config.set_check()


def test_a_comment_on_the_line_silences_a_code():
    model = cornu.Sequential([cornu.Input((4,))])
    model.add(layers.Dense(3))  # cornu: ignore[C103]
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert model.check(X, Y, verbose=0, measure=False).codes == []


def test_an_unbuilt_network_is_built_as_fit_would(capsys):
    weights = []
    for check in (True, False):
        cornu.utils.set_random_seed(3)
        model = cornu.Sequential([layers.Dense(8, activation="relu"), layers.Dense(3)])
        model.compile("sgd", cornu.losses.SparseCategoricalCrossentropy(from_logits=True))
        if check:
            model.check(X, Y, verbose=0)
        model.fit(X, Y, epochs=1, verbose=0, check=False)
        weights.append([weight.tobytes() for weight in model.get_weights()])
    assert weights[0] == weights[1]


def test_check_needs_a_compiled_model():
    with pytest.raises(ValueError, match="check"):
        network().check(X, Y)


def test_every_rule_has_a_page_and_a_name():
    find(facts_of_nothing())
    names = set()
    for code, rule in registered().items():
        assert rule.code == code
        assert rule.name not in names
        names.add(rule.name)
        title, _, rest = rule.page.partition("\n")
        assert title.endswith("."), code
        for section in ("What it does", "Why it hurts", "Example", "Fix"):
            assert f"## {section}" in rest, (code, section)


def facts_of_nothing():
    from cornu.check.facts import Facts

    return Facts("cornu")


FINDINGS = Findings(
    [
        Diagnostic("C103", "logits-as-probabilities", "error", "It is wrong", "w", "Mend it", "d"),
        Diagnostic("C501", "unscaled-inputs", "warning", "Big", place=Place("<stdin>", 3)),
    ]
)


def test_text_is_a_line_each_and_a_count():
    lines = as_text(FINDINGS).splitlines()
    assert lines[0] == "C103 error: It is wrong. Mend it."
    assert lines[1] == "<stdin>:3: C501 warning: Big."
    assert "1 error, 1 warning" in lines[2]
    assert as_text([]) == "No findings."


def test_a_path_is_shown_from_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finding = Diagnostic("C501", "a", "note", "m", place=Place(str(tmp_path / "a" / "b.py"), 2))
    assert line(finding).startswith("a/b.py:2: C501 note: m")


def test_json_and_sarif():
    plain = json.loads(as_json(FINDINGS))
    assert plain[0]["code"] == "C103"
    assert plain[1]["line"] == 3
    document = json.loads(as_sarif(FINDINGS))
    run = document["runs"][0]
    assert [result["ruleId"] for result in run["results"]] == ["C103", "C501"]
    assert run["tool"]["driver"]["rules"][0]["id"] == "C103"
    region = run["results"][1]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 3}
