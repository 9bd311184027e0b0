"""The house: a floor imports the floors below it, never the ones above."""

import ast
from pathlib import Path

import pytest

import cornu

ROOT = Path(cornu.__file__).parent

FLOORS = {
    "core": 1,
    "data": 1,
    "datasets": 1,
    "utils": 1,
    "distribution": 1,
    "ops": 2,
    "graph": 2,
    "optimizers": 2,
    "activations": 3,
    "constraints": 3,
    "initializers": 3,
    "losses": 3,
    "metrics": 3,
    "regularizers": 3,
    "callbacks": 4,
    "layers": 4,
    "plot": 4,
    "saving": 4,
    "train": 4,
    "models": 5,
    "check": 6,
    "dialects": 6,
    "port": 6,
    "compare": 7,
    "cli": 8,
    "demo": 8,
}
# the public namespaces at the top: they only re-export
FACADES = {"__init__", "__main__", "backend", "config", "random", "tree"}


def package_of(module: str) -> str | None:
    """The package right below cornu that a dotted name belongs to."""
    parts = module.split(".")
    return parts[1] if parts[0] == "cornu" and len(parts) > 1 else None


def imports(path: Path):
    """Every package of cornu that a file imports, at its top or inside its functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, package_of(name.name)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "cornu":
                for name in node.names:
                    yield node.lineno, name.name
            else:
                yield node.lineno, package_of(node.module)


def sources():
    for path in sorted(ROOT.rglob("*.py")):
        top = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if top not in FACADES:
            yield pytest.param(path, top, id=str(path.relative_to(ROOT)))


@pytest.mark.parametrize(("path", "package"), list(sources()))
def test_no_upward_import(path, package):
    assert package in FLOORS, f"{package} has no floor: name it here and in ARCHITECTURE.md"
    for line, imported in imports(path):
        if imported is None:
            continue
        assert imported in FLOORS, f"{path}:{line} imports cornu.{imported}, which has no floor"
        assert FLOORS[imported] <= FLOORS[package], (
            f"{path}:{line} on floor {FLOORS[package]} imports cornu.{imported} "
            f"from floor {FLOORS[imported]}"
        )
