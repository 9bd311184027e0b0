"""The intrusion article's story: a PyTorch classifier and its training, in Cornu and Keras.

    python port_story.py float64 folder rows

trains it in the three, from the same weights on the same batches, and prints the losses after each
epoch as JSON. It is a program of its own because a process computes in one precision.
"""

import json
import os
import sys

FLOAT, FOLDER, ROWS = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ["KERAS_BACKEND"] = "jax"
if FLOAT == "float64":
    os.environ["JAX_ENABLE_X64"] = "1"

import keras  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

import cornu  # noqa: E402
from cornu import port  # noqa: E402

EPOCHS, BATCH, RATE = 10, 64, 0.001


class Classifier(nn.Module):
    """As the article has it: the last layer is linear, the loss knows of the softmax."""

    def __init__(self, features, classes):
        super().__init__()
        self.fc1 = nn.Linear(features, features)
        self.fc2 = nn.Linear(features, features)
        self.out = nn.Linear(features, classes)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.out(x)


def train(network, loss_function, optimizer, x, y):
    losses = []
    for _ in range(EPOCHS):
        total = 0.0
        for start in range(0, len(x), BATCH):
            inputs, targets = x[start : start + BATCH], y[start : start + BATCH]
            optimizer.zero_grad()
            loss = loss_function(network(inputs), targets)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(inputs)
        losses.append(total / len(x))
    return losses


def main():
    cornu.config.set_floatx(FLOAT)
    keras.config.set_floatx(FLOAT)
    (x, y), _ = cornu.datasets.cicids2017.load_data(FOLDER)[:2]
    x, y = np.asarray(x[:ROWS], FLOAT), np.asarray(y[:ROWS]).astype("int64")

    torch.manual_seed(0)
    network = Classifier(x.shape[1], int(y.max()) + 1).to(getattr(torch, FLOAT))
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    rows, labels = torch.from_numpy(x), torch.from_numpy(y)

    model = port.from_torch(network, rows[:2], loss=loss_function, optimizer=optimizer)
    theirs = port.to_keras(model)
    settings = {"batch_size": BATCH, "epochs": EPOCHS, "shuffle": False, "verbose": 0}
    curves = {
        "Cornu": model.fit(x, y, **settings).history["loss"],
        "Keras": theirs.fit(x, y, **settings).history["loss"],
        "PyTorch": train(network, loss_function, optimizer, rows, labels),
    }
    print(json.dumps({"rows": len(x), "dtype": str(model.weights[0].dtype), **curves}))


main()
