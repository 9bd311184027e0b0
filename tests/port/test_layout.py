"""Images moved to channels first and back: a Cornu model read, rearranged, and written again."""

import numpy as np
import pytest

from cornu.port.keras.read_model import read_model
from cornu.port.keras.write_model import write_model
from cornu.port.layout import change_layout

from .networks import NETWORKS, batch, filled


def outputs(model, arrays):
    made = model(arrays if len(arrays) > 1 else arrays[0])
    return [np.asarray(one) for one in (made if isinstance(made, (list, tuple)) else [made])]


LARGE = ("resnet18", "unet", "mobilenet_block", "densenet_block", "inception_block", "autoencoder")
EACH = [
    pytest.param(build, marks=pytest.mark.slow) if build.__name__ in LARGE else build
    for build in NETWORKS
]


@pytest.mark.parametrize("build", EACH, ids=lambda build: build.__name__)
def test_read_and_written_again(build):
    model = filled(build())
    again = write_model(read_model(model))
    arrays = batch(model)
    for one, two in zip(outputs(model, arrays), outputs(again, arrays), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("build", EACH, ids=lambda build: build.__name__)
def test_channels_first(build):
    model = filled(build())
    first = change_layout(read_model(model), "channels_first")
    assert not [
        node for node in first.nodes if node.operation == "transpose"
    ] or build.__name__ in ("conv1d",)
    arrays = batch(model)
    held = [layout.hold(array) for layout, array in zip(first.input_layouts, arrays, strict=True)]
    made = outputs(write_model(first), held)
    made = [layout.give_back(one) for layout, one in zip(first.output_layouts, made, strict=True)]
    for one, two in zip(outputs(model, arrays), made, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("build", EACH, ids=lambda build: build.__name__)
def test_there_and_back(build):
    model = filled(build())
    first = change_layout(read_model(model), "channels_first")
    back = change_layout(first, "channels_last")
    assert all(layout.is_same for layout in (*back.input_layouts, *back.output_layouts))
    for (one, name, value), (two, other, same) in zip(
        read_model(model).weights(), back.weights(), strict=True
    ):
        assert (one.name, name) == (two.name, other)
        np.testing.assert_array_equal(value, same)
        np.testing.assert_array_equal(two.origins[other](two.origins[other].key.numpy()), same)
