import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(0)
counts = rng.poisson(2, size=(500, 6)).astype("float32")
target = counts[:, :1] - counts[:, 1:2] + 0.1 * rng.normal(size=(500, 1)).astype("float32")

features = np.log(counts)  # wrong: C503
#: features = np.log1p(counts)
X, y = torch.from_numpy(features), torch.from_numpy(target)  # found: C503
loader = DataLoader(TensorDataset(X, y), batch_size=25, shuffle=True)

model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1))  # found: C503
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for epoch in range(10):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)  # found: C503
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
