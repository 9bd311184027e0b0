"""The `cornu` command: demo, run, check, port, compare, info."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import cornu

COMMANDS = ("check", "compare", "demo", "info", "port", "run")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] not in COMMANDS and arguments[0].endswith(".py"):
        arguments.insert(0, "run")
    parser = _parser()
    options = parser.parse_args(arguments)
    options.given = arguments[1:]
    if options.command is None:
        parser.print_help()
        return 2
    try:
        return options.function(options)
    except OSError as error:  # no such program, a folder that cannot be written
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cornu",
        description="The Keras workflow on JAX.",
        epilog="`python -m cornu program.py` is short for `cornu run program.py`.",
    )
    parser.add_argument("--version", action="version", version=f"cornu {cornu.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    demo = commands.add_parser("demo", help="train two small networks and draw what they learn")
    demo.add_argument(
        "--output", default="cornu-demo", metavar="FOLDER", help="where the pictures go"
    )
    demo.set_defaults(function=_demo)
    run = commands.add_parser("run", help="run a program written for Keras, unchanged")
    run.add_argument("program", help="a Python file")
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="what the program is given")
    run.set_defaults(function=_run)
    check = commands.add_parser(
        "check",
        help="say what is wrong with a Keras or PyTorch program, before it trains",
        description="Runs a program until it begins to train, and says what is wrong with its "
        "network, its data and its settings. Nothing is trained.",
        epilog="Exit status: 0; 1 where an error was found; 2 where a program was not checked.",
    )
    check.add_argument("programs", nargs="*", metavar="program", help="a Python file")
    check.add_argument(
        "--format", choices=("text", "json", "sarif"), default="text", help="default: text"
    )
    check.add_argument(
        "--ignore", default="", metavar="CODES", help="findings to leave out, such as C502,C2"
    )
    check.add_argument("--fix", action="store_true", help="write the changes that are certain")
    check.add_argument(
        "--explain", metavar="CODE", help="print the page of a rule; 'all' lists the rules"
    )
    check.add_argument("--framework", choices=("keras", "torch"), help="default: what is imported")
    check.add_argument(
        "--no-measure", action="store_true", help="leave out the forward pass and the tried steps"
    )
    check.add_argument(
        "--args", default="", metavar="ARGUMENTS", help="what the program is given, in one string"
    )
    check.set_defaults(function=_check)
    port = commands.add_parser(
        "port",
        help="carry a network to another framework, with the proof that it is the same",
        description="Writes a network for another framework: its program, its weights, a table of "
        "the defaults that differ, and a comparison of both that proves them the same.",
        epilog="Exit status: 0; 1 where the two networks differ; 2 where nothing was carried over.",
    )
    port.add_argument(
        "source",
        help="program.py:function, or a file .keras, .h5, .onnx, .pt2; with --into a file of "
        "weights: .weights.h5, .keras, .pt, .safetensors, .npz",
    )
    port.add_argument("--to", choices=("torch", "keras", "cornu", "numpy", "onnx"))
    port.add_argument(
        "--into", metavar="PROGRAM:FUNCTION", help="the network that a file of weights is for"
    )
    port.add_argument(
        "-o", "--output", metavar="FOLDER", help="where files go; with --into the file to write"
    )
    port.add_argument(
        "--input",
        metavar="SHAPES",
        help="of a PyTorch module, without the batch: 3,224,224; whole numbers: 20:int64",
    )
    port.add_argument("--name", help="of the network in the program that is written")
    port.add_argument(
        "--data", metavar="FILE", help="an .npz with arrays x and y to compare with (else made up)"
    )
    port.add_argument("--steps", type=int, default=20, help="of training to compare (default: 20)")
    port.add_argument(
        "--safetensors", action="store_true", help="PyTorch's weights as .safetensors, not as .pt"
    )
    port.add_argument("--no-proof", action="store_true", help="write only, compare nothing")
    port.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    port.set_defaults(function=_port)
    compare = commands.add_parser(
        "compare",
        help="train one experiment in several frameworks, side by side",
        description="Trains an experiment in Cornu and in every framework that is installed, each "
        "in a process of its own, from the programs that `cornu port` writes: from the same start, "
        "to see whether they are the same, and by each framework's own habits, to see what one "
        "would get. Writes a report, its figures and the programs.",
        epilog="Without an experiment the built-in ones are listed. A comparison that was "
        "interrupted goes on where it was. Exit status: 0; 1 where runs from the same start differ "
        "by more than rounding, or a framework failed; 2 where nothing was run.",
    )
    compare.add_argument(
        "experiment",
        nargs="?",
        help="moons, mnist-mlp, mnist-cnn, digits-csv, intrusion, or a file.py that assigns "
        "`experiment`",
    )
    compare.add_argument(
        "--with",
        dest="frameworks",
        default="torch,keras,numpy,sklearn",
        metavar="FRAMEWORKS",
        help="beside Cornu (default: torch,keras,numpy,sklearn); also keras-jax, keras-torch, "
        "keras-tensorflow",
    )
    compare.add_argument("-o", "--output", metavar="FOLDER", help="where the results go")
    compare.add_argument("--mode", choices=("both", "same-start", "own-habits"), default="both")
    compare.add_argument(
        "--dtypes", default="float64,float32", help="of the same start (default: float64,float32)"
    )
    compare.add_argument("--epochs", type=_positive, help="in the place of the experiment's")
    compare.add_argument("--rows", type=_positive, help="the most training rows that are taken")
    compare.add_argument("--seeds", type=_positive, help="how many runs by own habits")
    compare.add_argument("--seed", type=int, default=0, help="the first seed (default: 0)")
    compare.add_argument(
        "--program",
        action="append",
        default=[],
        metavar="FRAMEWORK=FILE",
        help="a program of your own in the place of the one that is written, in its form",
    )
    compare.set_defaults(function=_compare)
    info = commands.add_parser("info", help="versions, devices, folders")
    info.set_defaults(function=_info)
    return parser


def _demo(options: argparse.Namespace) -> int:
    from cornu.demo import run_demo

    return run_demo(Path(options.output))


def _run(options: argparse.Namespace) -> int:
    from cornu.dialects import run_program

    return run_program(options.program, options.arguments)


def _check(options: argparse.Namespace) -> int:
    from cornu.check.command import run_check

    return run_check(options)


def _port(options: argparse.Namespace) -> int:
    from cornu.port.command import run_port

    return run_port(options)


def _compare(options: argparse.Namespace) -> int:
    from cornu.compare.command import run_compare

    return run_compare(options)


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return number


def _info(options: argparse.Namespace) -> int:
    import importlib.metadata

    import jax

    from cornu.core.cache import cache_directory, compilation_cache_directory

    def version(name: str) -> str:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return "not installed"

    compiled = compilation_cache_directory()
    rows = [
        ("Cornu", version("cornu")),
        ("Python", f"{platform.python_version()} ({sys.executable})"),
        *((name, version(name)) for name in ("jax", "jaxlib", "numpy", "h5py", "rich")),
        *(
            (name, version(name))
            for name in ("keras", "torch", "matplotlib", "scikit-learn", "pandas", "tensorboard")
        ),
        ("devices", ", ".join(f"{d.device_kind} ({d.platform}:{d.id})" for d in jax.devices())),
        ("processor", f"{os.cpu_count()} cores, {platform.machine()}"),
        ("data folder", os.environ.get("CORNU_DATA") or "CORNU_DATA is not set"),
        ("cache folder", str(cache_directory())),
        ("compiled programs", _folder_size(compiled) if compiled else "off (CORNU_CACHE=0)"),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")
    return 0


def _folder_size(folder: Path) -> str:
    if not folder.is_dir():
        return f"{folder} (empty)"
    sizes = [file.stat().st_size for file in folder.iterdir() if file.is_file()]
    return f"{folder} ({len(sizes)} files, {sum(sizes) / 2**20:.1f} MiB)"


if __name__ == "__main__":
    sys.exit(main())
