"""What `import cornu` costs: nothing that is not needed at once."""

import json
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
