"""The rules about data: each finds its bad data or program, and not the good one."""

import numpy as np
import pytest

from cornu.check import all_rules
from cornu.check.facts import Facts, Loss, Metric, Operation, Output, Training
from cornu.check.source import Source
from cornu.check.statistics import ArrayFacts, distinct_rows, rows_in_both

RNG = np.random.default_rng(0)
ROWS = 300
PIXELS = RNG.integers(0, 256, (ROWS, 64)).astype("uint8")
TABLE = RNG.normal(size=(ROWS, 4))
SORTED = np.repeat([0, 1, 2], ROWS // 3)
MIXED = np.arange(ROWS) % 3
PADDED = np.zeros((ROWS, 20))
for _row, _length in enumerate(RNG.integers(3, 21, ROWS)):
    PADDED[_row, -_length:] = RNG.integers(1, 5000, _length)
CROSSENTROPY = Loss("sparse_categorical_crossentropy", "sparse_categorical_crossentropy",
                    "probabilities", "classes")  # fmt: skip
SQUARES = Loss("mean_squared_error", "mse", "values", "values")
BINARY_LOSS = Loss("binary_crossentropy", "binary_crossentropy", "probabilities", "binary")


def trained(x=None, y=None, layers=("Dense",), loss=CROSSENTROPY, validation=None, metrics=(),
            complete=True, **training):  # fmt: skip
    """Facts of a network of some layers, `kind` or `(kind, settings)`, and its data."""
    entrance = Operation("Input", "input", shape=(None, *np.shape(x)[1:]))
    operations = [entrance]
    for layer in layers:
        kind, settings = layer if isinstance(layer, tuple) else (layer, {})
        before = operations[-1]
        operations.append(Operation(kind, kind.lower(), settings, [before], before.shape))
    output = Output("output", operations[-1], loss, [Metric(kind, kind) for kind in metrics])
    if y is not None:
        output.labels = ArrayFacts(y, "the labels", complete)
    facts = Facts("cornu", operations, [output], training=Training(**training))
    if x is not None:
        facts.inputs = [ArrayFacts(x, "x", complete)]
    if validation is not None:
        facts.validation_inputs = [ArrayFacts(validation[0], "the validation data")]
        output.validation_labels = ArrayFacts(validation[1], "the validation labels")
    return facts


def program(text):
    """Facts of nothing but a program's text."""
    return Facts("keras", source=Source("program.py", text))


def found(facts):
    """Codes of the findings about data, with their severity."""
    return {
        one.code: one.severity
        for code, rule in all_rules().items()
        if code.startswith("C5")
        for one in rule.apply(facts)
    }


SCALES = TABLE * [1, 1000, 1, 0.5]
HOLED = np.where(TABLE > 3, TABLE, TABLE)
HOLED[7, 2] = np.nan
CASES = {
    "C501 warning": (trained(PIXELS, MIXED), trained(PIXELS / 255, MIXED)),
    "C501 warning network": (
        trained(PIXELS, MIXED, ["Flatten", "Dense"]),
        trained(PIXELS, MIXED, [("Rescaling", {"scale": 1 / 255}), "Flatten", "Dense"])),
    "C501 warning behind": (trained(PIXELS, MIXED, ["Dense", "Dropout"]),
                            trained(PIXELS, MIXED, ["Dense", "BatchNormalization"])),
    "C501 warning series": (trained(RNG.normal(200, 5, (ROWS, 30, 1)), MIXED, ["LSTM"]),
                            trained(RNG.normal(0, 1, (ROWS, 30, 1)), MIXED, ["LSTM"])),
    "C501 warning batch": (trained(PIXELS[:32], MIXED[:32], complete=False),
                           trained(RNG.integers(0, 17, (ROWS, 64)), MIXED)),
    "C501 note": (trained(np.arange(6.0)[:, None] * 9, np.arange(6.0), loss=SQUARES),
                  trained(np.arange(6.0)[:, None], np.arange(6.0), loss=SQUARES)),
    "C502 warning": (trained(SCALES, MIXED), trained(SCALES / SCALES.std(axis=0), MIXED)),
    "C502 warning network": (trained(SCALES, MIXED, ["Dense"]),
                             trained(SCALES, MIXED, ["Normalization", "Dense"])),
    "C503 error": (trained(HOLED, MIXED), trained(np.nan_to_num(HOLED), MIXED)),
    "C504 note": (trained(TABLE * [1, 0, 1, 1], MIXED), trained(TABLE, MIXED)),
    "C504 warning": (trained(TABLE * 0, MIXED), trained(PIXELS * (np.arange(64) > 5) / 255, MIXED)),
    "C505 error": (trained(TABLE, SORTED, shuffle=False), trained(TABLE, SORTED, shuffle=True)),
    "C505 error ": (trained(TABLE, SORTED, shuffle=False), trained(TABLE, MIXED, shuffle=False)),
    "C505 warning": (trained(TABLE[:32], SORTED[:32], shuffle=False, complete=False, steps=9),
                     trained(TABLE[:32], MIXED[:32], shuffle=False, complete=False, steps=9)),
    "C506 error": (
        trained(TABLE[:200], SORTED[:200], validation_split=0.33,
                validation=(TABLE[200:], SORTED[200:])),
        trained(TABLE[:200], MIXED[:200], validation_split=0.33,
                validation=(TABLE[200:], MIXED[200:]))),
    "C506 warning": (
        trained(TABLE[:250], SORTED[:250], validation_split=0.17,
                validation=(TABLE[250:], SORTED[250:])),
        trained(TABLE[:250], MIXED[:250], validation_split=0.17,
                validation=(TABLE[250:], MIXED[250:]))),
    "C507 warning": (trained(TABLE, MIXED, validation=(TABLE[:60], MIXED[:60])),
                     trained(TABLE[60:], MIXED[60:], validation=(TABLE[:60], MIXED[:60]))),
    "C507 note": (trained(TABLE, MIXED, validation=(np.r_[TABLE[:6], TABLE[:99] + 1], MIXED[:105])),
                  trained(np.eye(3)[MIXED], MIXED, validation=(np.eye(3)[MIXED], MIXED))),
    "C509 warning": (
        trained(TABLE, np.arange(ROWS) < 6, loss=BINARY_LOSS, metrics=["binary_accuracy"]),
        trained(TABLE, np.arange(ROWS) < 6, loss=BINARY_LOSS, metrics=["accuracy", "auc"])),
    "C509 note": (
        trained(TABLE, np.arange(ROWS) < 24, loss=BINARY_LOSS, metrics=["accuracy"]),
        trained(TABLE, np.arange(ROWS) < 6, loss=BINARY_LOSS, metrics=["accuracy"],
                class_weight=True)),
    "C510 warning": (trained(PADDED, MIXED), trained(PADDED, MIXED, ["Embedding", "Dense"])),
    "C511 error": (trained(np.zeros((9, 3, 32, 32)), layers=["Conv2D"]),
                   trained(np.zeros((9, 32, 32, 3)), layers=["Conv2D"])),
    "C511 error square": (trained(np.zeros((9, 1, 28, 28)), layers=["Conv2D"]),
                          trained(np.zeros((9, 1, 500, 22)), layers=["Conv2D"])),
    "C513 warning": (trained(PIXELS / 255, layers=[("Rescaling", {"scale": 1 / 255}), "Dense"]),
                     trained(PIXELS, layers=[("Rescaling", {"scale": 1 / 255}), "Dense"])),
    "C513 warning twice": (trained(PIXELS / 255 / 255), trained(PIXELS / 255)),
    "C515 warning": (trained(TABLE, RNG.normal(2e5, 7e4, ROWS), loss=SQUARES),
                     trained(TABLE, RNG.normal(22, 9, ROWS), loss=SQUARES)),
    "C516 error": (trained(MIXED[:, None], layers=[("Embedding", {"input_dim": 2})]),
                   trained(MIXED[:, None], layers=[("Embedding", {"input_dim": 3})])),
    "C516 error scaled": (trained(MIXED[:, None] / 2, layers=[("Embedding", {"input_dim": 3})]),
                          trained(MIXED[:, None] * 1.0, layers=[("Embedding", {"input_dim": 3})])),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_data_is_found_and_good_is_not(case):
    bad, good = CASES[case]
    code, severity = case.split()[:2]
    assert found(bad) == {code: severity}
    assert found(good) == {}


@pytest.mark.parametrize(
    "facts",
    [
        trained(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])),
        # an autoencoder with a linear output on its own large data is told of once, as C501
        trained(RNG.normal(size=(ROWS, 4)), RNG.normal(size=(ROWS, 4)), loss=SQUARES),
        # pairs of ids repeat, each for itself; together they don't
        trained(np.repeat(np.arange(30), 10)[:, None], layers=["Embedding"]),
        # one split, a network in layers whose code is the user's own
        trained(PIXELS, MIXED, ["MyPreprocessing", "Dense"]),
    ],
    ids=["xor", "regression", "ids", "own layer"],
)
def test_silent_on_right_data(facts):
    assert found(facts) == {}


def test_pretrained_networks_take_what_they_were_trained_on():
    facts = trained(PIXELS - 128.0, MIXED)
    assert found(facts) == {"C501": "warning"}
    facts.source = Source("program.py", "x = preprocess_input(x)")
    assert found(facts) == {}
    facts = trained(PIXELS - 128.0, MIXED)
    facts.operations[1].trainable = False
    assert found(facts) == {}


RESAMPLED = """
from sklearn.utils import resample
from imblearn.over_sampling import SMOTE
rare = resample(df[df.label == 1], replace=True, n_samples=1000)
df = pd.concat([df[df.label == 0], rare])
x, y = df.drop("label", axis=1), df["label"]
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2)
"""
SPLIT_FIRST = """
from sklearn.utils import resample
train, test = train_test_split(df, test_size=0.2)
rare = resample(train[train.label == 1], replace=True, n_samples=1000)
train = pd.concat([train[train.label == 0], rare])
model.fit(train.drop("label", axis=1), train["label"], validation_data=(test_x, test_y))
"""
PROGRAMS = {
    "C508 table": (RESAMPLED, SPLIT_FIRST),
    "C508 smote": (
        "sm = SMOTE()\nx, y = sm.fit_resample(x, y)\na, b, c, d = train_test_split(x, y)",
        "sm = SMOTE()\na, b, c, d = train_test_split(x, y)\na, c = sm.fit_resample(a, c)\n"
        "model.fit(a, c)"),
    "C508 under": (
        "x, y = RandomOverSampler().fit_resample(x, y)\nmodel.fit(x, y, validation_split=0.1)",
        "x, y = RandomUnderSampler().fit_resample(x, y)\nmodel.fit(x, y, validation_split=0.1)"),
    "C508 sample": (
        "rare = df[df.y == 1].sample(900, replace=True)\ndf = pd.concat([rest, rare])\n"
        "train, test = train_test_split(df)",
        "df = df.sample(frac=1)\ntrain, test = train_test_split(df)"),
    "C508 length": (
        "from sklearn.utils import resample\nrare = resample(rare, n_samples=len(common))\n"
        "train, test = train_test_split(pd.concat([common, rare]))",
        "from sklearn.utils import resample\nrare = resample(rare, n_samples=99)\n"
        "train, test = train_test_split(common.sample(len(rare)))"),
    "C508 repeated": (
        "df = pd.concat([common] + [rare] * 10)\ntrain, test = train_test_split(df)",
        "df = pd.concat([common, rare])\ntrain, test = train_test_split(df)"),
    "C508 function": (
        "from sklearn.utils import resample\ndef balance(df):\n    parts = []\n"
        "    for c in df.y.unique():\n        parts.append(resample(df[df.y == c], n_samples=99))\n"
        "    return pd.concat(parts)\ndf = balance(df)\ntrain, test = train_test_split(df)",
        "from scipy.signal import resample\nx = resample(x, 100)\na, b = train_test_split(x)"),
    "C512 fit_transform": (
        "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\n"
        "X_test = scaler.fit_transform(X_test)",
        "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\n"
        "X_test = scaler.transform(X_test)\nmodel.fit(X_test, y_test)"),
    "C512 own": (
        "x_test = MinMaxScaler().fit_transform(x_test)",
        "vectors = TfidfVectorizer().fit_transform(test_texts)\nx = scaler.fit_transform(x)"),
    "C512 mean": (
        "x_test = (x_test - x_test.mean(axis=0)) / x_test.std(axis=0)",
        "x_test = (x_test - x_train.mean(axis=0)) / x_train.std(axis=0)"),
    "C512 rows": (
        "m = np.mean(test_data, axis=0)\ntest_data -= m",
        "x_test = x_test - x_test.mean(axis=(1, 2))\nx_test = x_test / x_test.max()\n"
        "m = np.mean(x_train, 0)\nx_test -= m\ne = np.mean(y_test - np.mean(y_test))"),
    "C512 function": (
        "def standardize(a):\n    return (a - a.mean()) / a.std()\nx_test = standardize(x_test)",
        "def standardize(a, m, s):\n    return (a - m) / s\nx_test = standardize(x_test, m, s)"),
    "C514 shuffle": (
        "np.random.shuffle(x)\nnp.random.shuffle(y)\nmodel.fit(x, y)",
        "np.random.seed(1)\nnp.random.shuffle(x)\nnp.random.seed(1)\nnp.random.shuffle(y)\n"
        "model.fit(x, y)"),
    "C514 permutation": (
        "x = x[np.random.permutation(9)]\ny = y[np.random.permutation(9)]\nmodel.fit(x, y)",
        "order = np.random.permutation(len(x))\nx, y = x[order], y[order]\nmodel.fit(x, y)"),
    "C514 sklearn": (
        "x = shuffle(x)\ny = shuffle(y)\nmodel.fit(x, y)",
        "x = shuffle(x, random_state=0)\ny = shuffle(y, random_state=0)\nx, y = shuffle(x, y)\n"
        "model.fit(x, y)"),
    "C514 one": (
        "x = data[:, 1:]\ny = data[:, 0]\nnp.random.shuffle(x)\nmodel.fit(x, y)",
        "np.random.shuffle(data)\nx = data[:, 1:]\ny = data[:, 0]\nmodel.fit(x, y)"),
    "C514 torch": (
        "x = x[torch.randperm(9)]\ny = y[torch.randperm(9)]\ndata = TensorDataset(x, y)",
        "p = torch.randperm(9)\nx = x[p]\ny = y[p]\ndata = TensorDataset(x, y)"),
    "C514 state": (
        "random.shuffle(images)\nrandom.shuffle(labels)\nmodel.fit(images, labels)",
        "state = np.random.get_state()\nnp.random.shuffle(x)\nnp.random.set_state(state)\n"
        "np.random.shuffle(y)\nmodel.fit(x, y)"),
}  # fmt: skip


@pytest.mark.parametrize("case", PROGRAMS)
def test_bad_program_is_found_and_good_one_is_not(case):
    bad, good = PROGRAMS[case]
    assert set(found(program(bad))) == {case.split()[0]}
    assert found(program(good)) == {}


def test_resampling_is_told_at_the_line_that_repeats_rows():
    (finding,) = all_rules()["C508"].apply(program(RESAMPLED))
    assert finding.place.line == 4
    assert "resample()" in finding.message
    assert "line 7" in finding.message


def test_rows_in_both_compares_by_value():
    one = np.round(RNG.normal(size=(500, 30)), 3).astype("float32")
    two = np.r_[one[[3, 99]], one[:5] + 1]
    assert rows_in_both([one], [two]) == (2, 7)
    assert rows_in_both([one, one[:, :1]], [two, two[:, :1] + 1]) == (0, 7)
    # the same but for the last column, which the first comparison may not look at
    other = one[:50].copy()
    other[:, 11] += 1
    assert rows_in_both([one], [other]) == (0, 50)
    zeros = np.zeros((40, 5))
    assert rows_in_both([zeros], [-zeros]) == (40, 40)
    assert distinct_rows([np.r_[one, one[:20]]]) == (500, 520)


def test_statistics_do_not_change_the_data():
    x, y = PIXELS.copy(), MIXED.copy()
    found(trained(x, y, validation=(x, y), validation_split=0.5))
    np.testing.assert_array_equal(x, PIXELS)
    np.testing.assert_array_equal(y, MIXED)
