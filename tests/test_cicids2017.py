"""CICIDS2017: the three forms of its files, on small made-up flows, and the real samples."""

import gzip
import logging
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornu.datasets import cicids2017
from cornu.datasets.cicids2017.columns import (
    ADDED_FEATURES,
    CLASSES,
    FEATURES,
    LABELS,
    RATES,
    REPEATED,
    class_of,
    read_label,
)
from cornu.datasets.cicids2017.preparation import split
from cornu.datasets.cicids2017.reader import read_flows

# The first lines of the published and of the corrected files.
PUBLISHED = [
    name if name in ("Flow Bytes/s", "Fwd PSH Flags", "Idle Mean") else f" {name}"
    for name in (name.removesuffix(".1") for name in FEATURES)
] + [" Label"]
_CORRECTED_LINE = (
    "id,Flow ID,Src IP,Src Port,Dst IP,Dst Port,Protocol,Timestamp,Flow Duration,Total Fwd Packet,"
    "Total Bwd packets,Total Length of Fwd Packet,Total Length of Bwd Packet,Fwd Packet Length Max,"
    "Fwd Packet Length Min,Fwd Packet Length Mean,Fwd Packet Length Std,Bwd Packet Length Max,"
    "Bwd Packet Length Min,Bwd Packet Length Mean,Bwd Packet Length Std,Flow Bytes/s,"
    "Flow Packets/s,Flow IAT Mean,Flow IAT Std,Flow IAT Max,Flow IAT Min,Fwd IAT Total,"
    "Fwd IAT Mean,Fwd IAT Std,Fwd IAT Max,Fwd IAT Min,Bwd IAT Total,Bwd IAT Mean,Bwd IAT Std,"
    "Bwd IAT Max,Bwd IAT Min,Fwd PSH Flags,Bwd PSH Flags,Fwd URG Flags,Bwd URG Flags,"
    "Fwd RST Flags,Bwd RST Flags,Fwd Header Length,Bwd Header Length,Fwd Packets/s,Bwd Packets/s,"
    "Packet Length Min,Packet Length Max,Packet Length Mean,Packet Length Std,"
    "Packet Length Variance,FIN Flag Count,SYN Flag Count,RST Flag Count,PSH Flag Count,"
    "ACK Flag Count,URG Flag Count,CWR Flag Count,ECE Flag Count,Down/Up Ratio,"
    "Average Packet Size,Fwd Segment Size Avg,Bwd Segment Size Avg,Fwd Bytes/Bulk Avg,"
    "Fwd Packet/Bulk Avg,Fwd Bulk Rate Avg,Bwd Bytes/Bulk Avg,Bwd Packet/Bulk Avg,"
    "Bwd Bulk Rate Avg,Subflow Fwd Packets,Subflow Fwd Bytes,Subflow Bwd Packets,"
    "Subflow Bwd Bytes,FWD Init Win Bytes,Bwd Init Win Bytes,Fwd Act Data Pkts,Fwd Seg Size Min,"
    "Active Mean,Active Std,Active Max,Active Min,Idle Mean,Idle Std,Idle Max,Idle Min,ICMP Code,"
    "ICMP Type,Total TCP Flow Time,Label,Attempted Category"
)
CORRECTED = _CORRECTED_LINE.split(",")
NUMBERED = [f"X{n}" for n in range(1, 79) if n not in (15, 16)] + ["YY"]
RATE_COLUMNS = [FEATURES.index(name) for name in RATES]


def published_row(flow: int, label: str = "BENIGN", **other) -> list[str]:
    """A flow whose features are `flow * 100 + column`, the repeated column like its first."""
    numbers = [str(flow * 100 + column) for column in range(78)]
    numbers[FEATURES.index(REPEATED)] = numbers[FEATURES.index("Fwd Header Length")]
    for column, text in other.items():
        numbers[int(column[1:])] = text
    return [*numbers, label]


def corrected_row(flow: int, label: str = "BENIGN", note: str = "-1") -> list[str]:
    """The same flow as `published_row`, in the corrected form."""
    apart = {
        "id": "7",
        "Flow ID": "10.0.0.1-10.0.0.2-4444-80-6",
        "Src IP": "10.0.0.1",
        "Src Port": "4444",
        "Dst IP": "10.0.0.2",
        "Timestamp": "2017-07-07 12:59:21",
        "Label": label,
        "Attempted Category": note,
        **dict.fromkeys(ADDED_FEATURES, "9"),
    }
    # The other columns are the published ones in their order, less the repeated one.
    numbers = iter(published_row(flow)[: FEATURES.index(REPEATED)])
    later = iter(published_row(flow)[FEATURES.index(REPEATED) + 1 : -1])
    return [
        apart[name] if name in apart else next(numbers, None) or next(later) for name in CORRECTED
    ]


def numbered_row(flow: int, label: str = "0") -> list[str]:
    row = published_row(flow, label)
    return [text for column, text in enumerate(row) if column not in RATE_COLUMNS]


def write(path: Path, header: list[str], rows: list[list[str]], ending: str = "\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = ending.join(",".join(row) for row in [header, *rows]) + ending
    content = text.encode("cp1252")
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def whole(data) -> tuple[np.ndarray, np.ndarray]:
    """All flows in the order of their first feature."""
    parts = (data.train, data.validation, data.test)
    x, y = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    order = np.argsort(x[:, 0], kind="stable")
    return x[order], y[order]


def expected(flows, columns=None) -> np.ndarray:
    rows = np.array([[float(n) for n in published_row(flow)[:-1]] for flow in flows])
    return rows if columns is None else rows[:, columns]


KEPT = [column for column in range(78) if column not in RATE_COLUMNS]
MIXED = ["BENIGN", "DDoS", "Bot", "PortScan", "DoS slowloris", "Web Attack \x96 XSS"]


@pytest.fixture
def mixed(tmp_path):
    """60 published flows of six labels, in two files."""
    rows = [published_row(flow, MIXED[flow % 6].replace("\x96", "\u2013")) for flow in range(60)]
    write(tmp_path / "days" / "a.csv", PUBLISHED, rows[:30])
    write(tmp_path / "days" / "b.csv.gz", PUBLISHED, rows[30:], ending="\r\n")
    return tmp_path / "days"


# ---------------------------------------------------------------------------- columns and labels


def test_the_columns():
    assert len(FEATURES) == len(set(FEATURES)) == 78
    assert FEATURES[14:16] == RATES
    assert FEATURES[55] == REPEATED
    assert len(CORRECTED) == 91
    assert len(NUMBERED) == 77


def test_every_spelling_of_a_label():
    for text in (
        "Web Attack \x96 Sql Injection",
        "Web Attack \u2013 Sql Injection",
        "Web Attack \ufffd Sql Injection",
        "Web Attack ï¿½ Sql Injection",
        "Web Attack - SQL Injection",
        "web attack  sql injection ",
    ):
        assert read_label(text) == ("Web Attack - SQL Injection", False)
    assert read_label("DoS slowloris") == ("DoS Slowloris", False)
    assert read_label("DoS Slowloris - Attempted") == ("DoS Slowloris", True)
    assert read_label("Infiltration - Portscan") == ("Infiltration - Portscan", False)
    assert read_label("Attempted") is None
    assert read_label("12", numbered=True) == ("DDoS", False)
    assert read_label("13", numbered=True) is None
    for label in LABELS:
        assert read_label(label) == (label, False)
        assert class_of(label) in CLASSES


# ------------------------------------------------------------------------------- the three forms


def test_published_files_are_combined(mixed):
    data = cicids2017.load_data(mixed, standardize=False)
    x, y = whole(data)
    np.testing.assert_array_equal(x, expected(range(60), KEPT))
    assert data.class_names == CLASSES
    names = [CLASSES[number] for number in y[:6]]
    assert names == ["BENIGN", "DDoS", "Botnet", "Portscan", "DoS Slowloris", "Web Attack"]
    assert data.feature_names == tuple(FEATURES[column] for column in KEPT)
    assert x.dtype == np.float32
    assert y.dtype == np.int32
    assert data.fill is None


def test_the_same_flows_in_corrected_and_numbered_form_give_the_same_arrays(tmp_path):
    labels = ["BENIGN", "Web Attack - XSS", "DDoS"]
    numbers = ["0", "8", "12"]
    write(
        tmp_path / "p" / "a.csv",
        PUBLISHED,
        [published_row(n, labels[n % 3].replace("-", "\u2013")) for n in range(30)],
    )
    write(tmp_path / "c" / "a.csv", CORRECTED, [corrected_row(n, labels[n % 3]) for n in range(30)])
    write(tmp_path / "n" / "a.csv", NUMBERED, [numbered_row(n, numbers[n % 3]) for n in range(30)])
    first, second, third = (cicids2017.load_data(tmp_path / form) for form in "pcn")
    for other in (second, third):
        assert other.feature_names == first.feature_names
        assert other.class_names == first.class_names
        for (x, y), (x2, y2) in zip(first[:3], other[:3], strict=True):
            np.testing.assert_array_equal(x, x2)
            np.testing.assert_array_equal(y, y2)


def test_identifying_columns_are_never_features(tmp_path):
    write(tmp_path / "a.csv", CORRECTED, [corrected_row(n) for n in range(20)])
    names = cicids2017.load_data(tmp_path, features="all", missing="drop_rows").feature_names
    assert len(names) == 84
    assert names[-6:] == ADDED_FEATURES
    for name in (
        "id",
        "Flow ID",
        "Src IP",
        "Src Port",
        "Dst IP",
        "Timestamp",
        "Attempted Category",
    ):
        assert name not in names
    with pytest.raises(ValueError, match="has no feature 'Src IP'"):
        cicids2017.load_data(tmp_path, features=["Flow Duration", "Src IP"])


def test_chosen_features(mixed):
    data = cicids2017.load_data(
        mixed, features=["Idle Min", "Flow Duration"], standardize=False, test_split=0
    )
    assert data.feature_names == ("Idle Min", "Flow Duration")
    assert set((data.train[0][:, 0] - data.train[0][:, 1]).tolist()) == {76.0}
    for features, message in (
        (["Flow duration"], "no feature 'Flow duration'; did you mean 'Flow Duration'"),
        (["Flow Bytes/s"], r"asks for a column and leaves it out"),
        ([], "expected names, each once"),
        (["Idle Min", "Idle Min"], "expected names, each once"),
        ("some", "expected 'published', 'all' or a list"),
    ):
        with pytest.raises(ValueError, match=message):
            cicids2017.load_data(mixed, features=features)


def test_a_numbered_file_without_the_rates_can_not_be_imputed(tmp_path):
    write(tmp_path / "a.csv", NUMBERED, [numbered_row(n) for n in range(9)])
    with pytest.raises(ValueError, match=r"no feature 'Flow Bytes/s'; .* choose missing='drop_col"):
        cicids2017.load_data(tmp_path, missing="impute")


def test_forms_are_not_mixed(tmp_path):
    write(tmp_path / "a.csv", PUBLISHED, [published_row(1)])
    write(tmp_path / "b.csv", CORRECTED, [corrected_row(1)])
    with pytest.raises(ValueError, match=r"b\.csv has the corrected form .*a\.csv the published"):
        cicids2017.load_data(tmp_path)


def test_a_folder_without_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        cicids2017.load_data(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"holds no \.csv or \.csv\.gz file"):
        cicids2017.load_data(tmp_path)
    write(tmp_path / "raw" / "a.csv", PUBLISHED, [published_row(1)])
    with pytest.raises(FileNotFoundError, match="its folders raw hold some"):
        cicids2017.load_data(tmp_path)
    write(tmp_path / "raw" / "a.csv.gz", PUBLISHED, [published_row(1)])
    with pytest.raises(ValueError, match=r"holds both a\.csv and a\.csv\.gz"):
        cicids2017.load_data(tmp_path / "raw")


def test_a_file_twice_is_said(tmp_path, caplog):
    for name in ("a.csv", "b.csv.gz"):
        write(tmp_path / name, PUBLISHED, [published_row(n) for n in range(9)])
    cicids2017.load_data(tmp_path)
    assert "b.csv.gz holds the same flows as" in caplog.text


# ------------------------------------------------------------------------------- malformed files


def test_a_missing_column_is_named(tmp_path):
    for header, row, missing in (
        (PUBLISHED, published_row(1), " Idle Max"),
        (PUBLISHED, published_row(1), " Label"),
        (CORRECTED, corrected_row(1), "FWD Init Win Bytes"),
        (NUMBERED, numbered_row(1), "X17"),
    ):
        at = header.index(missing)
        path = tmp_path / "a.csv"
        write(path, header[:at] + header[at + 1 :], [row[:at] + row[at + 1 :]])
        with pytest.raises(ValueError, match=rf"a\.csv, line 1: no column '{missing.strip()}'\. "):
            cicids2017.load_data(tmp_path)


def test_another_csv_altogether(tmp_path):
    (tmp_path / "a.csv").write_text("label,pixel0\n1,2\n")
    with pytest.raises(ValueError, match=r"line 1: no column 'Destination Port', .* and 74 more"):
        cicids2017.load_data(tmp_path)
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(ValueError, match="line 1: the file is empty"):
        cicids2017.load_data(tmp_path)
    write(tmp_path / "a.csv", PUBLISHED, [])
    with pytest.raises(ValueError, match="no flow in it, only a first line"):
        cicids2017.load_data(tmp_path)
    write(tmp_path / "a.csv", [*PUBLISHED[:2], *PUBLISHED[1:]], [])
    with pytest.raises(ValueError, match=r"line 1, column 3: ' ?Flow Duration' is there twice"):
        cicids2017.load_data(tmp_path)


def test_an_unknown_column_is_said_and_not_used(tmp_path, caplog):
    write(
        tmp_path / "a.csv", ["Day", *PUBLISHED], [["Monday", *published_row(n)] for n in range(9)]
    )
    assert cicids2017.load_data(tmp_path).train[0].shape[1] == 76
    assert "not used: column 'Day'" in caplog.text


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda row: row[:-1], r"line 4: 78 columns; the first line names 79"),
        (lambda row: [*row, "1"], r"line 4: 80 columns; the first line names 79"),
        (lambda row: [], r"line 4: an empty line; the first line names 79"),
        (
            lambda row: ["x", *row[1:]],
            r"line 4, column 1 \(Destination Port\): 'x' is not a number",
        ),
        (lambda row: [*row[:77], "", row[78]], r"line 4, column 78 \(Idle Min\): it is empty"),
        (lambda row: [row[0], "1_0", *row[2:]], r"line 4, column 2 \(Flow Duration\): '1_0' is"),
        (lambda row: [row[0], "0x1p3", *row[2:]], r"line 4, column 2 \(Flow Duration\): '0x1p3'"),
        (lambda row: [row[0], "1 2", *row[2:]], r"line 4, column 2 \(Flow Duration\): '1 2' is"),
        (lambda row: [*row[:-1], "Normal"], r"line 4, column 79: 'Normal' is no label of CICIDS"),
        (lambda row: [*row[:-1], ""], r"line 4, column 79: '' is no label"),
    ],
)
def test_a_malformed_row_is_an_error_that_names_line_and_column(tmp_path, spoil, message):
    rows = [published_row(n) for n in range(6)]
    rows[2] = spoil(rows[2])
    write(tmp_path / "day.csv", PUBLISHED, rows)
    with pytest.raises(ValueError, match=r"day\.csv, " + message):
        cicids2017.load_data(tmp_path)


def test_a_malformed_attempt_note(tmp_path):
    write(tmp_path / "a.csv", CORRECTED, [corrected_row(1), corrected_row(2, note="?")])
    with pytest.raises(
        ValueError, match=r"line 3, column 91 \(Attempted Category\): '\?' is not a"
    ):
        cicids2017.load_data(tmp_path)


def test_a_cut_gzip_file(tmp_path):
    path = write(tmp_path / "a.csv.gz", PUBLISHED, [published_row(n) for n in range(50)])
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"a\.csv\.gz: truncated"):
        cicids2017.load_data(tmp_path)


def test_lines_are_counted_right_beyond_the_first_block(tmp_path, monkeypatch):
    monkeypatch.setattr("cornu.datasets.cicids2017.reader._ROWS_AT_ONCE", 4)
    rows = [published_row(n) for n in range(11)]
    path = write(tmp_path / "a.csv", PUBLISHED, rows)
    np.testing.assert_array_equal(read_flows([path]).values, expected(range(11)))
    rows[9][3] = "!"
    write(path, PUBLISHED, rows)
    with pytest.raises(ValueError, match="line 11, column 4"):
        read_flows([path])


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("scratch")


cell = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True).map(str),
    st.integers(-(10**12), 10**12).map(str),
    st.sampled_from(["NaN", "Infinity", "-Infinity", " 3 ", "+4", "5.", ".5", "1e3", '"6"']),
    st.text(st.characters(codec="ascii", exclude_characters=",\r\n\0"), max_size=4),
)


@given(
    cells=st.lists(cell, min_size=78, max_size=78), extra=st.integers(-2, 2), at=st.integers(0, 3)
)
@settings(max_examples=60, deadline=None)
def test_any_row_is_read_as_python_reads_it_or_is_an_error_at_its_line(scratch, cells, extra, at):
    row = [*cells, "BENIGN"]
    row = row[:extra] if extra < 0 else [*row, *["0"] * extra]
    rows = [published_row(flow) for flow in range(3)]
    rows.insert(at, row)
    path = write(scratch / "any.csv", PUBLISHED, rows)
    try:
        numbers = [float(text.strip().strip('"')) for text in cells]
        # Python reads 1_000 as a number, which no other program writes or takes.
        good = extra == 0 and not any("_" in text for text in cells)
    except ValueError:
        good = False
    if good:
        np.testing.assert_array_equal(read_flows([path]).values[at], numbers)
    else:
        with pytest.raises(ValueError, match=rf"any\.csv, line {at + 2}[:,]"):
            read_flows([path])


# --------------------------------------------------------------------------------------- classes


def test_published_classes(mixed):
    data = cicids2017.load_data(mixed, classes="published", standardize=False)
    assert data.class_names == tuple(
        label for label in LABELS if label not in ("Infiltration - Portscan", "Web Attack")
    )
    assert data.class_names[whole(data)[1][5]] == "Web Attack - XSS"


def test_some_classes_in_an_order_of_ones_own(mixed, caplog):
    data = cicids2017.load_data(mixed, classes=["DDoS", "BENIGN"], standardize=False)
    x, y = whole(data)
    assert data.class_names == ("DDoS", "BENIGN")
    np.testing.assert_array_equal(x[:, 0], [n * 100 for n in range(60) if n % 6 < 2])
    assert y.tolist() == [1, 0] * 10
    assert "left out: 10 flows labelled Botnet" in caplog.text


def test_classes_of_ones_own(mixed):
    classes = {"BENIGN": "fine", "DDoS": "flood", "DoS Slowloris": "flood"}
    data = cicids2017.load_data(mixed, classes=classes, standardize=False)
    assert data.class_names == ("fine", "flood")
    assert np.bincount(whole(data)[1]).tolist() == [10, 20]


def test_two_classes(mixed):
    data = cicids2017.load_data(mixed, binary=True, standardize=False)
    assert data.class_names == ("BENIGN", "ATTACK")
    assert whole(data)[1].tolist() == [0, 1, 1, 1, 1, 1] * 10


@pytest.mark.parametrize(
    ("attempted", "counts", "said"),
    [
        ("benign", [15, 5], "6 attacks that were only attempted count as BENIGN"),
        ("attack", [9, 11], None),
        ("drop", [9, 5], "left out: 6 attacks that were only attempted"),
    ],
)
def test_attempted_attacks(tmp_path, caplog, attempted, counts, said):
    rows = [corrected_row(n) for n in range(9)]
    rows += [corrected_row(n, "DDoS") for n in range(9, 14)]
    rows += [corrected_row(n, "DDoS - Attempted", "2") for n in range(14, 17)]
    rows += [corrected_row(n, "DDoS", "3") for n in range(17, 20)]
    write(tmp_path / "a.csv", CORRECTED, rows)
    data = cicids2017.load_data(tmp_path, binary=True, attempted=attempted, standardize=False)
    assert np.bincount(whole(data)[1]).tolist() == counts
    assert said is None or said in caplog.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classes": "all"}, "expected 'article', 'published', a list"),
        ({"classes": ["BENIGN", "Bot"]}, "expected names, each once, among BENIGN"),
        ({"classes": ["BENIGN"]}, "needs two classes or more"),
        (
            {"classes": {"Normal": "x", "DDoS": "y"}},
            r"classes=\{'Normal': \.\.\.\}\): no such label",
        ),
        ({"classes": ["Heartbleed", "FTP-Patator"]}, "no flow belongs to any of these classes"),
        ({"attempted": "keep"}, "attempted='keep'"),
        ({"missing": "ignore"}, "missing='ignore'"),
        ({"test_split": 1.0}, "test_split=1.0"),
        ({"validation_split": -0.1}, "validation_split=-0.1"),
        ({"test_split": 0.999}, "none is left to train on"),
        ({"balance": "even"}, "balance='even'"),
        ({"balance": {"Bot": 3}}, "no class 'Bot'; there are BENIGN"),
        ({"balance": {"BENIGN": -3}}, "BENIGN: -3 is not a count"),
        ({"balance": {"Heartbleed": 3}}, "there is no flow of Heartbleed to draw from"),
        ({"balance_before_split": True}, "say how to balance"),
    ],
)
def test_senseless_arguments(mixed, arguments, message):
    with pytest.raises(ValueError, match=message):
        cicids2017.load_data(mixed, **arguments)


# ------------------------------------------------------------------------------ NaN and Infinity


@pytest.fixture
def holed(tmp_path):
    rows = [published_row(n, MIXED[n % 2]) for n in range(40)]
    rows[3] = published_row(3, c14="NaN", c15="Infinity")
    rows[7] = published_row(7, c14="Infinity", c15="Infinity")
    return write(tmp_path / "holed.csv", PUBLISHED, rows).parent


def test_the_two_columns_are_left_out(holed, caplog):
    data = cicids2017.load_data(holed, standardize=False)
    np.testing.assert_array_equal(whole(data)[0], expected(range(40), KEPT))
    assert "left out: columns Flow Bytes/s and Flow Packets/s" in caplog.text
    assert "Flow Bytes/s: 1 NaN and 1 Infinity; Flow Packets/s: 0 NaN and 2 Infinity" in caplog.text


def test_the_flows_are_left_out(holed, caplog):
    data = cicids2017.load_data(holed, missing="drop_rows", standardize=False)
    kept = [n for n in range(40) if n not in (3, 7)]
    np.testing.assert_array_equal(whole(data)[0], expected(kept))
    assert "left out: 2 of 40 flows (Flow Bytes/s: 1 NaN and 1 Infinity;" in caplog.text


def test_the_gaps_are_filled_from_the_training_part(holed, caplog):
    data = cicids2017.load_data(holed, missing="impute", standardize=False)
    rows = {int(row[0]): row for part in data[:3] for row in part[0]}
    train = [int(row[0]) // 100 for row in data.train[0] if int(row[0]) not in (300, 700)]
    medians = [np.median([n * 100 + column for n in train]) for column in (14, 15)]
    for flow in (300, 700):
        np.testing.assert_array_equal(rows[flow][14:16], medians)
    np.testing.assert_array_equal(data.fill[14:16], medians)
    assert "filled in with the training part's median: Flow Bytes/s: 1 NaN" in caplog.text


def test_nan_elsewhere_is_an_error_unless_dealt_with(tmp_path):
    rows = [published_row(n) for n in range(20)]
    rows[4] = published_row(4, c30="nan")
    write(tmp_path / "a.csv", PUBLISHED, rows)
    with pytest.raises(ValueError, match=r"a\.csv, line 6, column 'Fwd PSH Flags': nan; .*'drop_r"):
        cicids2017.load_data(tmp_path)
    assert len(whole(cicids2017.load_data(tmp_path, missing="drop_rows"))[0]) == 19


def test_nothing_is_said_where_nothing_is_done(tmp_path, caplog):
    rows = [published_row(n, MIXED[n % 2]) for n in range(20)]
    write(tmp_path / "a.csv", PUBLISHED, rows)
    with caplog.at_level(logging.WARNING):
        cicids2017.load_data(tmp_path, classes=["BENIGN", "DDoS"], missing="drop_rows")
    assert caplog.text == ""


# --------------------------------------------------------------------- balance, split, and scale


def test_only_the_training_part_is_balanced(mixed, caplog):
    plain = cicids2017.load_data(mixed, standardize=False)
    data = cicids2017.load_data(mixed, balance=7, standardize=False)
    counts = np.bincount(data.train[1], minlength=13)
    assert counts.tolist() == [7 if n else 0 for n in np.bincount(plain.train[1], minlength=13)]
    for before, after in zip(plain[1:3], data[1:3], strict=True):
        np.testing.assert_array_equal(before[0], after[0])
    assert set(data.train[0][:, 0]) <= set(plain.train[0][:, 0])
    assert "balanced the training part: BENIGN" in caplog.text
    assert "has no flow of Heartbleed" in caplog.text
    # in random order, not class after class
    assert np.count_nonzero(np.diff(data.train[1])) > 10


def test_copies_only_where_there_are_too_few(mixed):
    train = cicids2017.load_data(
        mixed, balance={"BENIGN": 3, "DDoS": 40}, stratify=True, standardize=False
    ).train
    benign, ddos = (train[0][train[1] == n, 0] for n in (0, 12))
    assert len(benign) == len(set(benign)) == 3
    assert len(ddos) == 40 > len(set(ddos))
    assert (train[1] == 10).sum() == (train[1] == 11).sum() > 3


def test_balancing_before_the_split_as_the_article_did(mixed):
    data = cicids2017.load_data(mixed, balance=30, balance_before_split=True, standardize=False)
    _, y = whole(data)
    assert np.bincount(y).max() == 30
    assert len(y) == 180
    # what makes it a bad idea: the same flow on both sides
    assert set(data.train[0][:, 0]) & set(data.test[0][:, 0])


def test_balance_of_the_article(tmp_path):
    rows = [published_row(n, MIXED[n % 2]) for n in range(20)]
    write(tmp_path / "a.csv", PUBLISHED, rows)
    data = cicids2017.load_data(
        tmp_path, balance="article", balance_before_split=True, features=["Flow Duration"]
    )
    assert sum(len(y) for _, y in data[:3]) == 48_000
    assert sum((y == 0).sum() for _, y in data[:3]) == 40_000


def test_the_seed_decides(mixed):
    options = {"balance": 5, "standardize": False}
    first, again, other = (cicids2017.load_data(mixed, seed=n, **options) for n in (1, 1, 2))
    for part in range(3):
        np.testing.assert_array_equal(first[part][0], again[part][0])
        assert not np.array_equal(first[part][0], other[part][0])


@given(
    count=st.integers(1, 400),
    fraction=st.floats(0, 0.9),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=50, deadline=None)
def test_a_split_loses_nothing(count, fraction, seed):
    rows = np.arange(count) * 3
    y = np.zeros(count * 3, int)
    y[::2] = 1
    for mixture in (None, y):
        larger, smaller = split(rows, fraction, seed, mixture)
        assert sorted([*larger, *smaller]) == rows.tolist()
    assert abs(len(smaller) - fraction * count) <= 2


def test_the_split_is_scikit_learns(mixed):
    selection = pytest.importorskip("sklearn.model_selection")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    x, y = whole(cicids2017.load_data(mixed, standardize=False, dtype="float64"))
    x_rest, x_test, y_rest, y_test = selection.train_test_split(
        x, y, test_size=0.15, random_state=42
    )
    x_train, x_val, y_train, y_val = selection.train_test_split(
        x_rest, y_rest, test_size=0.15, random_state=42
    )
    scaler = preprocessing.StandardScaler().fit(x_train)
    data = cicids2017.load_data(mixed, dtype="float64")
    for (ours, labels), theirs, their_labels in zip(
        data[:3], (x_train, x_val, x_test), (y_train, y_val, y_test), strict=True
    ):
        np.testing.assert_allclose(ours, scaler.transform(theirs), rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(labels, their_labels)
    np.testing.assert_allclose(data.mean, scaler.mean_)
    np.testing.assert_allclose(data.std, scaler.scale_)


def test_a_stratified_split_has_each_class_in_each_part(tmp_path):
    rows = [published_row(n, "Heartbleed" if n < 3 else "BENIGN") for n in range(100)]
    write(tmp_path / "a.csv", PUBLISHED, rows)
    data = cicids2017.load_data(tmp_path, classes=["BENIGN", "Heartbleed"], stratify=True)
    assert [int((y == 1).sum()) for _, y in data[:3]] == [1, 1, 1]
    assert sum(len(y) for _, y in data[:3]) == 100


def test_standardizing_uses_the_training_part_only_and_can_be_repeated(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for n in range(300):
        numbers = rng.lognormal(3, 4, 78)
        numbers[5] = 0.1  # a constant, which floating point does not hold exactly
        rows.append([*map(repr, numbers.tolist()), MIXED[n % 2]])
    write(tmp_path / "a.csv", PUBLISHED, rows)
    plain = cicids2017.load_data(tmp_path, standardize=False, dtype="float64")
    data = cicids2017.load_data(tmp_path, dtype="float64")
    x = data.train[0]
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.delete(x.std(axis=0), 5), 1)
    for before, after in zip(plain[:3], data[:3], strict=True):
        np.testing.assert_allclose((before[0] - data.mean) / data.std, after[0])
        np.testing.assert_array_equal(after[0][:, 5], 0)
    np.testing.assert_allclose(data.mean, plain.train[0].mean(axis=0))


def test_no_test_and_no_validation_part(mixed):
    data = cicids2017.load_data(mixed, test_split=0, validation_split=0)
    assert [len(y) for _, y in data[:3]] == [60, 0, 0]
    assert data.test[0].shape == (0, 76)


# ------------------------------------------------------------------------------------- real flows


@pytest.fixture
def real() -> Path:
    folder = Path(os.environ.get("CORNU_DATA", "")) / "cicids2017"
    if not os.environ.get("CORNU_DATA") or not folder.is_dir():
        pytest.skip("needs CORNU_DATA to be a folder that holds cicids2017/")
    return folder


def test_the_published_sample(real, caplog):
    data = cicids2017.load_data(real / "raw")
    assert sum(len(y) for _, y in data[:3]) == 7999
    assert data.train[0].shape == (5779, 76)
    assert sum((y == CLASSES.index("Web Attack")).sum() for _, y in data[:3]) == 7
    assert (
        "Flow Bytes/s: 8 NaN and 21 Infinity; Flow Packets/s: 0 NaN and 29 Infinity" in caplog.text
    )
    assert all(np.isfinite(x).all() for x, _ in data[:3])


def test_the_corrected_sample(real):
    data = cicids2017.load_data(real / "improved", classes="published")
    counts = np.bincount(np.concatenate([y for _, y in data[:3]]))
    assert dict(zip(data.class_names, counts.tolist(), strict=True)) == {
        "BENIGN": 2500,
        "FTP-Patator": 2500,
        "SSH-Patator": 2500,
        "DoS Slowloris": 2500,
        "DoS Slowhttptest": 1740,
        "DoS Hulk": 2500,
        "DoS GoldenEye": 2500,
        "Heartbleed": 11,
        "Web Attack - Brute Force": 73,
        "Web Attack - XSS": 18,
        "Web Attack - SQL Injection": 13,
        "Infiltration": 36,
        "Infiltration - Portscan": 2500,
        "Botnet": 736,
        "Portscan": 2500,
        "DDoS": 2500,
    }
    assert data.train[0].shape[1] == 76


def test_the_heartbleed_file(real):
    data = cicids2017.load_heartbleed(real / "heartbleed-cicids2017.csv.gz")
    assert data.class_names == ("BENIGN", "Heartbleed")
    assert data.train[0].shape[1] == 76
    assert [np.bincount(y).tolist() for _, y in data[:3]] == [[5780, 8], [1020, 1], [1200, 2]]
