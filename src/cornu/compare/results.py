"""What a comparison found, as plain data: what `results.json` holds and the report shows."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import math
from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING, Any

import numpy as np

from cornu.compare.environment import environment, package_size_mb
from cornu.compare.program_steps import code_lines, sections_of
from cornu.compare.programs import family
from cornu.compare.same_start import TOLERANCES
from cornu.compare.statistics import thinned
from cornu.port.differences import differences
from cornu.port.network import Network

if TYPE_CHECKING:
    from cornu.compare.comparison import Comparison

FORMAT = 1
_POINTS = 1500  # of the curves from the same start
_WRONG = 24  # examples of mistakes
_SHOWN_POINTS = 600  # of two-feature data


def results_of(comparison: Comparison) -> dict[str, Any]:
    """All that a comparison found."""
    wrong = _Mistakes(comparison)
    own = _own_habits(comparison, wrong)
    found = {
        "format": FORMAT,
        "experiment": _experiment(comparison),
        "network": network_as_data(comparison.network),
        "frameworks": [
            {
                field: getattr(framework, field)
                for field in (
                    *("name", "title", "version", "status", "reason", "last_lines", "resumed"),
                    "notes",
                )
            }
            for framework in comparison.frameworks
        ],
        "same_start": _same_start(comparison),
        "own_habits": own,
        "images": wrong.images(),
        "movie": _movie(comparison),
        "programs": _programs(comparison),
        "differences": _differences(comparison),
        "findings": _findings(comparison),
        "environment": {
            **environment(
                [f.name for f in comparison.frameworks],
                comparison.settings.command,
                comparison.seeds,
            ),
            "load": comparison.load,
        },
    }
    return plain(found)


def plain(value: Any) -> Any:
    """The same as data for JSON: NumPy's numbers as Python's, what is no number as None.

    >>> plain({"a": np.float32(0.5), "b": [float("nan"), np.int64(3)]})
    {'a': 0.5, 'b': [None, 3]}
    """
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, (np.integer, np.bool_)):
        return value.item()
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value


# -- the experiment --------------------------------------------------------------------------------


def _experiment(comparison: Comparison) -> dict[str, Any]:
    experiment, training = comparison.experiment, comparison.network.training
    data = comparison.data
    assert training is not None
    return {
        "name": experiment.name,
        "title": experiment.title,
        "description": experiment.description,
        "source": experiment.source,
        "epochs": comparison.epochs,
        "batch_size": experiment.batch_size,
        "rows": {
            "train": len(data.train[0]),
            "validation": 0 if data.validation is None else len(data.validation[0]),
            "test": len(data.test[0]),
        },
        "classes": comparison.class_names,
        "features": None if experiment.feature_names is None else list(experiment.feature_names),
        "loss": training.losses[0].kind if training.losses and training.losses[0] else None,
        "optimizer": _optimizer(comparison.network),
        "parameters": sum(value.size for _, _, value in comparison.network.weights()),
    }


def _optimizer(network: Network) -> str | None:
    optimizer = network.training.optimizer if network.training is not None else None
    if optimizer is None:
        return None
    rate = optimizer.settings.get("learning_rate")
    shown = f"{rate:g}" if isinstance(rate, (int, float)) else f"by {getattr(rate, 'kind', rate)}"
    return f"{optimizer.kind}, learning rate {shown}"


# The settings of a layer that say most, in the order in which they are shown.
_TOLD = ("units", "filters", "kernel_size", "pool_size", "rate", "strides", "padding", "function")


def network_as_data(network: Network) -> list[dict[str, Any]]:
    """The layers in computing order: name, kind, detail, inputs, shape, parameters.

    An activation that nothing else stands beside belongs to the layer in front of it.
    """
    found: list[dict[str, Any]] = []
    of_node: dict[Any, dict[str, Any]] = {}
    consumers = network.consumers()
    for node in network.nodes:
        operation = node.target
        before = node.inputs[0] if node.inputs else None
        if before is not None and operation.kind == "activation" and len(consumers[before]) == 1:
            layer = of_node[before.node]
            if layer["parameters"]:
                shown = str(operation.attributes["function"])
                layer["detail"] = ", ".join(part for part in (layer["detail"], shown) if part)
                of_node[node] = layer
                continue
        told = []
        for name in _TOLD:
            value = operation.attributes.get(name)
            if value is None or (name == "strides" and set(np.ravel(value)) == {1}):
                continue
            if name == "padding" and value == "valid":
                continue
            if isinstance(value, (tuple, list)):
                value = "x".join(map(str, value))
            told.append(f"rate {value:g}" if name == "rate" else str(value))
        is_input = operation.kind == "InputLayer"
        of_node[node] = {
            "name": node.name,
            "kind": "Input" if is_input else operation.kind,
            "detail": ", ".join(told),
            "inputs": [of_node[tensor.node]["name"] for tensor in node.inputs],
            "shape": list(node.outputs[0].shape),
            "parameters": sum(int(v.size) for v in operation.parameters.values()),
        }
        found.append(of_node[node])
    return found


# -- same start ------------------------------------------------------------------------------------


def _same_start(comparison: Comparison) -> dict[str, Any] | None:
    if "same_start" not in comparison.settings.modes:
        return None
    verdicts = comparison.verdicts()
    dtypes = {}
    for dtype in comparison.settings.dtypes:
        reference = comparison.run_of("cornu", dtype)
        if reference is None:
            continue
        steps = len(reference.losses)
        kept = np.array(thinned(steps, _POINTS))
        frameworks = {}
        for framework in comparison.frameworks:
            run = comparison.run_of(framework.name, dtype)
            if run is None:
                continue
            there = kept[kept < len(run.losses)]
            one: dict[str, Any] = {
                "loss": run.losses[there],
                "epochs": comparison.found[framework.name, "same_start", dtype].result["epochs"],  # type: ignore[index]
            }
            if framework.name != "cornu":
                difference = comparison.curve(framework.name, dtype)
                assert difference is not None
                one["difference"] = difference[there]
                one["verdict"] = verdicts[dtype][framework.name].to_dict()
            frameworks[framework.name] = one
        dtypes[dtype] = {
            "tolerance": TOLERANCES[dtype],
            "steps": steps,
            "steps_per_epoch": comparison.steps_per_epoch,
            "step": kept + 1,
            "frameworks": frameworks,
        }
    return {"seed": comparison.settings.seed, "dtypes": dtypes}


# -- own habits ------------------------------------------------------------------------------------


def _own_habits(comparison: Comparison, wrong: _Mistakes) -> dict[str, Any] | None:
    if "own_habits" not in comparison.settings.modes:
        return None
    frameworks = {}
    for framework in comparison.frameworks:
        found = comparison.found.get((framework.name, "own_habits", "float32"))
        if found is None or found.result is None:
            continue
        timing = {"import_s": found.result["import_s"], **found.result["timing"]}
        backend = comparison.backend_of(framework.name)
        with contextlib.suppress(PackageNotFoundError):  # not installed as a distribution
            timing["package_mb"] = package_size_mb(
                framework.distribution, *([backend] if backend else [])
            )
        written = comparison.written[framework.name, "own_habits"]
        frameworks[framework.name] = {
            "runs": found.result["runs"],
            "timing": timing,
            "confusion": _confusion(comparison, found.arrays["test"]),
            "wrong": wrong.of(found.arrays["test"]),
            "habits": written.habits,
        }
    return {"seeds": comparison.seeds, "frameworks": frameworks}


def _predicted(comparison: Comparison, outputs: np.ndarray) -> np.ndarray | None:
    """The classes that a network takes rows for; None for a regression."""
    if comparison.task == "regression":
        return None
    if not np.isfinite(outputs).all():  # it has diverged
        return None
    return (outputs[:, 0] > 0.5).astype(int) if comparison.task == "binary" else outputs.argmax(1)


def _confusion(comparison: Comparison, outputs: np.ndarray) -> np.ndarray | None:
    predicted = _predicted(comparison, outputs)
    if predicted is None:
        return None
    count = len(comparison.class_names)
    matrix = np.zeros((count, count), int)
    np.add.at(matrix, (comparison.data.test[1].astype(int).ravel(), predicted), 1)
    return matrix


class _Mistakes:
    """The test rows that were taken for another class with most confidence, and their pictures."""

    def __init__(self, comparison: Comparison):
        self.comparison = comparison
        self.rows: set[int] = set()

    def of(self, outputs: np.ndarray) -> list[dict[str, Any]] | None:
        """The worst mistakes of a network, the surest first."""
        predicted = _predicted(self.comparison, outputs)
        if predicted is None:
            return None
        labels = self.comparison.data.test[1].astype(int).ravel()
        if self.comparison.task == "binary":
            sure = np.where(predicted == 1, outputs[:, 0], 1 - outputs[:, 0])
        else:
            sure = outputs.max(axis=1)
        wrong = np.flatnonzero(predicted != labels)
        worst = wrong[np.argsort(-sure[wrong], kind="stable")][:_WRONG]
        self.rows |= {int(row) for row in worst}
        return [
            {
                "row": row,
                "label": labels[row],
                "predicted": predicted[row],
                "probability": sure[row],
            }
            for row in worst
        ]

    def images(self) -> dict[str, Any] | None:
        """The pictures of all these rows, where rows are pictures."""
        x = self.comparison.data.test[0]
        shape = _image_shape(x.shape[1:])
        if shape is None or not self.rows:
            return None
        low, high = float(x.min()), float(x.max())
        pictures = {
            str(row): _as_bytes((x[row].reshape(shape) - low) / max(high - low, 1e-12))
            for row in sorted(self.rows)
        }
        return {"shape": list(shape), "rows": pictures}


def _image_shape(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Height and width of rows that are gray images, a flat square image of some size too."""
    if (len(shape) == 3 and shape[2] == 1) or (len(shape) == 2 and min(shape) >= 4):
        return shape[0], shape[1]
    side = math.isqrt(shape[0]) if len(shape) == 1 else 0
    return (side, side) if side >= 16 and side * side == shape[0] else None


def _as_bytes(array: np.ndarray) -> str:
    """Numbers from 0 to 1 as bytes, in base64."""
    scaled = np.clip(np.round(np.asarray(array) * 255), 0, 255).astype("uint8")
    return base64.b64encode(scaled.tobytes()).decode("ascii")


# -- the movie -------------------------------------------------------------------------------------


def _movie(comparison: Comparison) -> dict[str, Any] | None:
    series = []
    for framework in comparison.frameworks:
        found = comparison.found.get((framework.name, "own_habits", "float32"))
        if found is None or found.result is None or "frames" not in found.arrays:
            continue
        cells = int(np.prod(comparison.shape))
        frames = found.arrays["frames"].reshape(len(comparison.frames), cells, -1)
        history = found.result["runs"][0]["history"]
        one: dict[str, Any] = {
            "name": framework.name,
            "title": framework.title,
            "curves": {
                name: [history[name][epoch - 1] for epoch in comparison.frames]
                for name in ("loss", "accuracy")
                if name in history
            },
        }
        if comparison.task == "binary":
            one["frames"] = [_as_bytes(frame[:, 0]) for frame in frames]
        else:
            one["frames"] = [_as_bytes(frame.argmax(axis=1) / 255) for frame in frames]
            one["confidence"] = [_as_bytes(frame.max(axis=1)) for frame in frames]
        series.append(one)
    if not series:
        return None
    x, y = comparison.data.test
    shown = thinned(len(x), _SHOWN_POINTS)
    points = [[*map(float, x[i]), int(y.ravel()[i])] for i in shown]
    return {
        "kind": "boundary" if comparison.task == "binary" else "classes",
        "title": comparison.experiment.title,
        "extent": comparison.extent,
        "shape": comparison.shape,
        "epochs": comparison.frames,
        "classes": comparison.class_names,
        "axes": list(comparison.experiment.feature_names or ("x1", "x2")),
        "points": points,
        "series": series,
    }


# -- the programs ----------------------------------------------------------------------------------


def _programs(comparison: Comparison) -> list[dict[str, Any]]:
    found = []
    mode = "own_habits" if "own_habits" in comparison.settings.modes else "same_start"
    for framework in comparison.frameworks:
        written = comparison.written.get((framework.name, mode))
        if written is None:
            continue
        text = written.file.read_text(encoding="utf-8")
        found.append(
            {
                "framework": framework.name,
                "title": framework.title,
                "file": str(written.file.relative_to(comparison.folder)),
                "text": text,
                "lines": code_lines(text),
                "sections": sections_of(text),
            }
        )
    return found


def _differences(comparison: Comparison) -> dict[str, Any]:
    found = {}
    for framework in comparison.frameworks:
        target = family(framework.name)
        if target in ("torch", "numpy") and framework.status != "skipped":
            rows = differences(comparison.network, "cornu", target)
            found[framework.name] = [dataclasses.asdict(row) for row in rows]
    return found


def _findings(comparison: Comparison) -> list[dict[str, Any]]:
    x, y = comparison.data.train
    found = comparison.model.check(
        x,
        y,
        batch_size=comparison.experiment.batch_size,
        epochs=comparison.epochs,
        validation_data=comparison.validation,
        verbose=0,
    )
    return [
        {
            "code": one.code,
            "severity": one.severity,
            "message": one.message,
            "layer": one.layer,
            "advice": one.fix,
        }
        for one in found
    ]
