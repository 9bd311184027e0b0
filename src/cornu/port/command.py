"""`cornu port`: a network from one framework to another, with its proof and what differed."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from cornu.port.differences import TITLES, Difference, as_markdown, differences
from cornu.port.network import Network, PortError
from cornu.port.opening import Opened, open_network
from cornu.port.proof.proof import Proof

# What the report of a port is called, and its proof as data.
REPORT, PROOF = "PORT.md", "proof.json"


def run_port(options: argparse.Namespace) -> int:
    """What `cornu port` does; returns the exit status."""
    try:
        if options.into:
            return _load_weights(options)
        if not options.to:
            print(
                "cornu port: say where to: --to torch, keras, cornu, numpy or onnx; or, for a "
                "file of weights, --into program.py:function",
                file=sys.stderr,
            )
            return 2
        return _port(options)
    except (PortError, ValueError, ImportError, FileNotFoundError) as error:
        print(f"cornu port: {error}", file=sys.stderr)
        return 2


def _port(options: argparse.Namespace) -> int:
    _require(options.to)
    opened = open_network(options.source, options.input)
    network = opened.network()
    if options.name:
        network.name = options.name
    folder = Path(options.output or f"{network.name}-{options.to}")
    folder.mkdir(parents=True, exist_ok=True)
    weights = f"weights.{'safetensors' if options.safetensors else 'pt'}"
    files, written = write(opened, network, options.to, folder, weights)
    found = differences(opened.as_read, opened.framework, options.to)
    proof = None
    if not options.no_proof:
        proof = _prove(opened, written, options)
        (folder / PROOF).write_text(proof.to_json() + "\n", encoding="utf-8")
        files.append(folder / PROOF)
    report = folder / REPORT
    report.write_text(_report(opened, options, found, proof), encoding="utf-8")
    files.append(report)
    _print(opened, options, found, proof, files)
    return 0 if proof is None or proof.same else 1


def _require(to: str) -> None:
    """Says what a framework's port needs before anything is written."""
    needed = {"torch": ("torch",), "onnx": ("onnx", "onnxruntime")}.get(to, ())
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ModuleNotFoundError(
            f"--to {to} needs {' and '.join(missing)}, to write the network and to prove it; "
            f'install it with `pip install "cornu[{to}]"`'
        )


def write(
    opened: Opened, network: Network, to: str, folder: Path, weights: str = "weights.pt"
) -> tuple[list[Path], Any]:
    """Writes a network in a framework's form.

    Args:
        opened: where it comes from.
        network: images channels last.
        to: the framework.
        folder: where to.
        weights: name of PyTorch's file of weights: ".pt" or ".safetensors".

    Returns:
        The files, and the network as that framework has it, to be compared with the source.
    """
    from cornu.port.convert import torch_form_of
    from cornu.port.layout import change_layout, ends_as_read

    if to == "torch":
        from cornu.port.torch.write import write_torch, write_torch_files

        form = torch_form_of(network)
        return list(write_torch_files(form, folder, weights)), write_torch(form)
    if to == "numpy":
        from cornu.port.numpy.write import write_numpy, write_numpy_files

        return list(write_numpy_files(network, folder)), write_numpy(network)
    if to == "onnx":
        from cornu.port.onnx.write import write_onnx

        proto = write_onnx(ends_as_read(change_layout(network, "channels_first")))
        file = folder / f"{network.name}.onnx"
        file.write_bytes(proto.SerializeToString())
        return [file], proto
    from cornu.port.keras.write_keras import write_keras_files
    from cornu.port.keras.write_model import write_model

    form = change_layout(network, "channels_last")
    return list(write_keras_files(form, folder, module=to)), write_model(form)


def _prove(opened: Opened, written: Any, options: argparse.Namespace) -> Proof:
    import numpy as np

    from cornu.port.proof.prove import prove

    x = y = None
    if options.data:
        with np.load(options.data) as arrays:
            if "x" not in arrays:
                names = ", ".join(arrays.files) or "nothing"
                raise PortError(f"{options.data} has no array x; it has {names}")
            x, y = arrays["x"], arrays.get("y")
    return prove(
        opened.live,
        written,
        x,
        y,
        steps=options.steps,
        loss=opened.loss,
        optimizer=opened.optimizer,
    )


def _report(
    opened: Opened, options: argparse.Namespace, found: list[Difference], proof: Proof | None
) -> str:
    title = f"# {opened.title}: from {TITLES[opened.framework]} to {TITLES[options.to]}\n"
    lines = [title]
    if opened.notes:
        lines += [*(f"- {note}" for note in opened.notes), ""]
    lines += ["## Where the frameworks differ\n"]
    if found:
        lines.append(as_markdown(found, opened.framework, options.to) + "\n")
    else:
        lines.append("In nothing that this network has.\n")
    if proof is not None:
        page = proof.to_markdown().replace("\n## ", "\n### ")
        lines.append(page.replace("# ", "## ", 1))
    return "\n".join(lines)


def _print(
    opened: Opened,
    options: argparse.Namespace,
    found: list[Difference],
    proof: Proof | None,
    files: list[Path],
) -> None:
    if options.format == "json":
        print(
            json.dumps(
                {
                    "source": opened.framework,
                    "target": options.to,
                    "files": [str(file) for file in files],
                    "notes": opened.notes,
                    "differences": [one.to_dict() for one in found],
                    "proof": proof.to_dict() if proof is not None else None,
                },
                indent=2,
            )
        )
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 120
    if found:
        table = Table(
            "",
            TITLES[opened.framework],
            TITLES[options.to],
            "what was done",
            box=None,
            pad_edge=False,
            padding=(0, 2, 1, 0),
        )
        for one in found:
            table.add_row(*map(Text, (one.what, one.source, one.target, one.done)))
        console.print(table)
    for note in opened.notes:
        console.print(Text(f"Note: {note}"))
    if proof is not None:
        proof.print()
    console.print(Text("Wrote " + ", ".join(str(file) for file in files)), soft_wrap=True)


def _load_weights(options: argparse.Namespace) -> int:
    """`cornu port weights.h5 --into program.py:build`."""
    from cornu.port.keras.read_weights import load_weights_into

    opened = open_network(options.into, options.input)
    if opened.framework not in ("cornu", "keras"):
        raise PortError(
            f"{options.into} makes a network of {TITLES[opened.framework]}",
            None,
            "--into takes a program that makes a Keras or Cornu model",
        )
    table = load_weights_into(opened.live, options.source)
    target = Path(options.output or f"{opened.title}.keras")
    if target.suffix not in (".keras", ".h5"):
        target.mkdir(parents=True, exist_ok=True)
        target = target / f"{opened.title}.keras"
    if target.name.endswith(".weights.h5"):
        opened.live.save_weights(target)
    else:
        opened.live.save(target)
    print(table)
    print(f"Wrote {target}")
    return 0
