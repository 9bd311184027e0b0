"""The intrusion network from PyTorch to Cornu and Keras: three learning curves that are one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("keras")


# Some flows lie a hundred deviations from the mean, and with all of them rounding in float32 grows
# until the curves part in single epochs, PyTorch's own from that in float64 too.
@pytest.mark.parametrize(
    ("dtype", "rows", "tolerance"), [("float64", 18_000, 1e-8), ("float32", 8_000, 1e-3)]
)
def test_learning_curves_lie_on_each_other(dtype, rows, tolerance, data_folder):
    folder = data_folder / "cicids2017" / "improved"
    if not folder.is_dir():
        pytest.skip(f"the flows are not in {folder}")
    script = Path(__file__).with_name("port_story.py")
    done = subprocess.run(
        [sys.executable, str(script), dtype, str(folder), str(rows)],
        capture_output=True,
        text=True,
        env={**os.environ, "CORNU_CHECK": "off"},
    )
    assert done.returncode == 0, done.stderr
    curves = json.loads(done.stdout.splitlines()[-1])
    assert (curves["rows"], curves["dtype"]) == (rows, dtype)
    torch = np.array(curves["PyTorch"])
    assert torch[-1] < torch[0] / 2, "it learns"
    for name in ("Cornu", "Keras"):
        parted = np.max(np.abs(np.array(curves[name]) - torch) / torch)
        print(f"{name}, {dtype}: {parted:.1e}")
        assert parted < tolerance
