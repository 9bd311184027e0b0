"""The columns and labels of CICIDS2017, in each form of its files, under one set of names.

The names of the features here are those of the data set as first published in 2017, without the
spaces that its files have around them. The files of the corrected data set (and of CICFlowMeter
since its version 4) name the same columns otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: The two columns that hold NaN and Infinity: they divide by the flow's duration, which can be 0.
RATES = ("Flow Bytes/s", "Flow Packets/s")

#: The second of two columns that the published files both call "Fwd Header Length".
REPEATED = "Fwd Header Length.1"

_SIZES = ("Max", "Min", "Mean", "Std")
_TIMES = ("Mean", "Std", "Max", "Min")

#: The 78 features, in the order of the published files.
FEATURES = (
    "Destination Port",
    "Flow Duration",
    "Total Fwd Packets",
    "Total Backward Packets",
    "Total Length of Fwd Packets",
    "Total Length of Bwd Packets",
    *(f"{way} Packet Length {size}" for way in ("Fwd", "Bwd") for size in _SIZES),
    *RATES,
    *(f"Flow IAT {time}" for time in _TIMES),
    *(f"{way} IAT {time}" for way in ("Fwd", "Bwd") for time in ("Total", *_TIMES)),
    "Fwd PSH Flags",
    "Bwd PSH Flags",
    "Fwd URG Flags",
    "Bwd URG Flags",
    "Fwd Header Length",
    "Bwd Header Length",
    "Fwd Packets/s",
    "Bwd Packets/s",
    "Min Packet Length",
    "Max Packet Length",
    "Packet Length Mean",
    "Packet Length Std",
    "Packet Length Variance",
    "FIN Flag Count",
    "SYN Flag Count",
    "RST Flag Count",
    "PSH Flag Count",
    "ACK Flag Count",
    "URG Flag Count",
    "CWE Flag Count",
    "ECE Flag Count",
    "Down/Up Ratio",
    "Average Packet Size",
    "Avg Fwd Segment Size",
    "Avg Bwd Segment Size",
    REPEATED,
    "Fwd Avg Bytes/Bulk",
    "Fwd Avg Packets/Bulk",
    "Fwd Avg Bulk Rate",
    "Bwd Avg Bytes/Bulk",
    "Bwd Avg Packets/Bulk",
    "Bwd Avg Bulk Rate",
    "Subflow Fwd Packets",
    "Subflow Fwd Bytes",
    "Subflow Bwd Packets",
    "Subflow Bwd Bytes",
    "Init_Win_bytes_forward",
    "Init_Win_bytes_backward",
    "act_data_pkt_fwd",
    "min_seg_size_forward",
    *(f"{state} {time}" for state in ("Active", "Idle") for time in _TIMES),
)

#: Numbers that only the corrected files have.
ADDED_FEATURES = (
    "Protocol",
    "Fwd RST Flags",
    "Bwd RST Flags",
    "ICMP Code",
    "ICMP Type",
    "Total TCP Flow Time",
)

#: Columns that say which flow it is, or what somebody thought of it: never features. From an
#: address, a time or a source port a classifier learns by heart who attacked, and when.
IDENTIFYING = frozenset(
    {
        "id",
        "Flow ID",
        "Src IP",
        "Source IP",
        "Src Port",
        "Source Port",
        "Dst IP",
        "Destination IP",
        "Timestamp",
        "Attempted Category",
    }
)

_NEWER = {
    "Dst Port": "Destination Port",
    "Total Fwd Packet": "Total Fwd Packets",
    "Total Bwd packets": "Total Backward Packets",
    "Total Length of Fwd Packet": "Total Length of Fwd Packets",
    "Total Length of Bwd Packet": "Total Length of Bwd Packets",
    "Packet Length Min": "Min Packet Length",
    "Packet Length Max": "Max Packet Length",
    "CWR Flag Count": "CWE Flag Count",
    "Fwd Segment Size Avg": "Avg Fwd Segment Size",
    "Bwd Segment Size Avg": "Avg Bwd Segment Size",
    **{
        f"{way} {newer}/Bulk Avg": f"{way} Avg {older}/Bulk"
        for way in ("Fwd", "Bwd")
        for newer, older in (("Bytes", "Bytes"), ("Packet", "Packets"))
    },
    "Fwd Bulk Rate Avg": "Fwd Avg Bulk Rate",
    "Bwd Bulk Rate Avg": "Bwd Avg Bulk Rate",
    "FWD Init Win Bytes": "Init_Win_bytes_forward",
    "Bwd Init Win Bytes": "Init_Win_bytes_backward",
    "Fwd Act Data Pkts": "act_data_pkt_fwd",
    "Fwd Seg Size Min": "min_seg_size_forward",
}

# A processed copy names the columns X1 to X78 in the published order, and the label YY.
_NUMBERED = {f"X{number}": name for number, name in enumerate(FEATURES, start=1)}


@dataclass(frozen=True)
class Layout:
    """Where a file keeps what.

    `dialect` is "published", "corrected" or "numbered"; `names` the features that it has, under the
    names of 2017, and `positions` their columns (0 is the first); `label` the label's column,
    `attempted` that of the attempt note or None; `width` how many columns there are; `unused` the
    names of the columns that are nothing known.
    """

    dialect: str
    names: tuple[str, ...]
    positions: tuple[int, ...]
    label: int
    attempted: int | None
    width: int
    unused: tuple[str, ...]


def read_header(fields: Sequence[str], where: str) -> Layout:
    """Works out from a file's first line which of the published forms it has.

    Args:
        fields: the names in the first line.
        where: the file, for messages.

    Returns:
        The layout.

    Raises:
        ValueError: where a column is missing or there twice; names the file, the line, the column.
    """
    given = [field.strip().strip('"').strip() for field in fields]
    numbered = "YY" in given
    newer = not numbered and sum(name in _NEWER for name in given) > len(_NEWER) // 2
    known = _NUMBERED if numbered else _NEWER if newer else {}

    columns: dict[str, int] = {}
    for position, spelled in enumerate(given):
        name = known.get(spelled, spelled)
        if name == "Fwd Header Length" and name in columns:
            name = REPEATED
        if name in columns:
            raise ValueError(
                f"{where}, line 1, column {position + 1}: {spelled!r} is there twice (the first is "
                f"column {columns[name] + 1})"
            )
        columns[name] = position

    required: list[str] = [*FEATURES]
    if newer:
        required.remove(REPEATED)
    if numbered:
        required = [name for name in required if name not in RATES]
    label_name = "YY" if numbered else "Label"
    missing = [name for name in [*required, label_name] if name not in columns]
    if missing:
        spelling = {name: spelled for spelled, name in known.items()}
        listed = ", ".join(repr(spelling.get(name, name)) for name in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise ValueError(
            f"{where}, line 1: no column {listed}{more}. The first line of a CICIDS2017 file names "
            "its columns: the published form (78 features and Label), the corrected one (91 "
            "columns) or the numbered one (X1 to X78 and YY)"
        )
    names = [name for name in [*FEATURES, *ADDED_FEATURES] if name in columns]
    positions = [columns[name] for name in names]
    if newer:
        # The corrected files do without the repeated column; giving it back keeps the features of
        # a network trained on one form in the places that it expects in the other.
        place = FEATURES.index(REPEATED)
        names.insert(place, REPEATED)
        positions.insert(place, columns["Fwd Header Length"])
    used = {*names, *IDENTIFYING, label_name}
    return Layout(
        dialect="numbered" if numbered else "corrected" if newer else "published",
        names=tuple(names),
        positions=tuple(positions),
        label=columns[label_name],
        attempted=columns.get("Attempted Category"),
        width=len(given),
        unused=tuple(name for name in columns if name not in used),
    )


#: Every label of the published and the corrected files, under one spelling. The last is only for
#: the numbered files, which don't tell the three web attacks apart.
LABELS = (
    "BENIGN",
    "FTP-Patator",
    "SSH-Patator",
    "DoS Slowloris",
    "DoS Slowhttptest",
    "DoS Hulk",
    "DoS GoldenEye",
    "Heartbleed",
    "Web Attack - Brute Force",
    "Web Attack - XSS",
    "Web Attack - SQL Injection",
    "Infiltration",
    "Infiltration - Portscan",
    "Botnet",
    "Portscan",
    "DDoS",
    "Web Attack",
)

#: The thirteen classes of the published intrusion classifier, in the order of its numbers 0 to 12.
CLASSES = (
    "BENIGN",
    "FTP-Patator",
    "SSH-Patator",
    "DoS Slowloris",
    "DoS Slowhttptest",
    "DoS Hulk",
    "DoS GoldenEye",
    "Heartbleed",
    "Web Attack",
    "Infiltration",
    "Botnet",
    "Portscan",
    "DDoS",
)


def class_of(label: str) -> str:
    """Which of the thirteen classes a label belongs to.

    The three web attacks are one class, as in the published classifier. A port scan is a Portscan
    also where an infiltrated machine does it: its flows are those of any port scan, and with them
    the 36 flows of an actual infiltration would be lost among 70,000 (corrected files only; the
    published ones call them BENIGN).

    >>> class_of("Web Attack - XSS"), class_of("Infiltration - Portscan"), class_of("DDoS")
    ('Web Attack', 'Portscan', 'DDoS')
    """
    if label == "Infiltration - Portscan":
        return "Portscan"
    return label if label in CLASSES else label.split(" - ")[0]


def _key(label: str) -> str:
    # Published labels differ in case, and in what became of a Windows-1252 dash on the way.
    return " ".join(re.findall(r"[a-z0-9]+", label.lower()))


_BY_KEY = {_key(label): label for label in LABELS} | {"bot": "Botnet"}


def read_label(text: str, *, numbered: bool = False) -> tuple[str, bool] | None:
    """The one spelling of a label as written in a file, and whether the attack was only attempted.

    Args:
        text: the label.
        numbered: whether it is a number from 0 to 12. Default False.

    Returns:
        `(label, attempted)`, or `None` where it is no label of CICIDS2017.

    >>> read_label("Web Attack \\x96 XSS"), read_label("Bot - Attempted"), read_label("Normal")
    (('Web Attack - XSS', False), ('Botnet', True), None)
    """
    text = text.strip().strip('"')
    if numbered:
        return (CLASSES[int(text)], False) if text in map(str, range(len(CLASSES))) else None
    key = _key(text)
    attempted = key.endswith(" attempted")
    label = _BY_KEY.get(key.removesuffix(" attempted"))
    return None if label is None else (label, attempted)
