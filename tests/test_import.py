"""What `import cornu` costs: nothing that is not needed at once."""

import json
import operator
import subprocess
import sys

import pytest

LATER = (
    "matplotlib",
    "pandas",
    "sklearn",
    "torch",
    "tensorflow",
    "keras",
    "h5py",
    "rich",
    "tensorboard",
    "onnx",
)


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules that a new process has after `import cornu`."""
    code = "import json, sys; import cornu; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("module", LATER)
def test_is_imported_only_where_it_is_used(loaded, module):
    assert module not in loaded


def test_importing_starts_no_device(loaded):
    """JAX looks for devices when it is first used; `--help` and the like need none."""
    code = (
        "import cornu, jax._src.xla_bridge as bridge; "
        "raise SystemExit(bridge.backends_are_initialized())"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_is_there():
    import cornu

    for name in cornu.__all__:
        assert getattr(cornu, name) is not None
        if hasattr(module := getattr(cornu, name), "__all__"):
            missing = [entry for entry in module.__all__ if not hasattr(module, entry)]
            assert missing == [], name


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("layers.Dens", ("cornu.layers has no Dens", "did you mean 'Dense'?")),
        ("layers.dense", ("did you mean 'Dense'?",)),
        ("losses.CategoricalCrossentropi", ("did you mean 'CategoricalCrossentropy'?",)),
        ("Sequentiel", ("cornu has no Sequentiel", "did you mean 'Sequential'?")),
        ("optimizers.schedules.CosineDecey", ("did you mean 'CosineDecay'?",)),
        ("datasets.mnist.load_dat", ("did you mean 'load_data'?",)),
        ("keras_applications_of_mine", ("cornu has no keras_applications_of_mine",)),
    ],
)
def test_a_misspelt_name(path, parts):
    """From the module, and imported from it."""
    import cornu

    owner, _, name = path.rpartition(".")
    module = operator.attrgetter(owner)(cornu) if owner else cornu
    with pytest.raises(AttributeError) as error:
        getattr(module, name)
    assert not hasattr(module, name)
    with pytest.raises(ImportError) as imported:
        exec(f"from {module.__name__} import {name}", {})
    assert str(imported.value) == str(error.value)
    assert all(part in str(error.value) for part in parts)
    if len(parts) == 1 and "of_mine" in path:
        assert "did you mean" not in str(error.value)


def test_a_name_that_keras_has_is_said_to_be_missing():
    import cornu
    from cornu.core.keras_names import MISSING

    lacking = [
        (module, name)
        for package, names in MISSING.items()
        for module in [operator.attrgetter(package)(cornu) if package else cornu]
        for name in names.split()
        if name not in module.__all__
    ]
    assert lacking  # when nothing is, the table can go
    for module, name in lacking:
        with pytest.raises(AttributeError, match="Keras 3 has it, Cornu does not have it yet"):
            getattr(module, name)


def test_a_module_that_is_not_imported_yet_is_named():
    code = "import cornu; cornu.dialects"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "cornu.dialects is a module: import cornu.dialects first" in done.stderr
    assert "from cornu import dialects, cli" not in done.stderr
    subprocess.run([sys.executable, "-c", "from cornu import dialects, cli"], check=True)


def test_python_adds_no_second_suggestion():
    done = subprocess.run(
        [sys.executable, "-c", "import cornu; cornu.layers.Dens"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.lower().count("did you mean") == 1
