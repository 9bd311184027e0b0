import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.RandomState(42)
# two interleaved moons
t = rng.uniform(0, np.pi, 500)
labels = rng.randint(0, 2, 500)
xy = np.where(
    labels[:, None] == 0,
    np.stack([np.cos(t), np.sin(t)], 1),
    np.stack([1 - np.cos(t), 0.5 - np.sin(t)], 1),
)
xy = xy + rng.normal(scale=0.1, size=xy.shape)

X = torch.from_numpy(xy).type(torch.float)
y = torch.from_numpy(labels).type(torch.float)

device = "cuda" if torch.cuda.is_available() else "cpu"

model = nn.Sequential(
    nn.Linear(2, 16),
    nn.ReLU(),
    nn.Linear(16, 16),
    nn.ReLU(),
    nn.Linear(16, 1),
    nn.Sigmoid(),  # wrong: C102
).to(device)

loss_fn = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
loader = DataLoader(TensorDataset(X, y), batch_size=32, shuffle=True)

for epoch in range(100):
    model.train()
    for X_batch, y_batch in loader:
        X_batch, y_batch = X_batch.to(device), y_batch.to(device)
        y_pred = model(X_batch).squeeze()
        loss = loss_fn(y_pred, y_batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 0:
        print(f"Epoch: {epoch} | Loss: {loss:.5f}")
