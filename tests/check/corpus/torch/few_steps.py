import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(1000, 10)
y = (X[:, :1] + X[:, 1:2] * X[:, 2:3]) + 0.1 * torch.randn(1000, 1)
loader = DataLoader(TensorDataset(X, y), batch_size=1000, shuffle=True)  # wrong: C406 C405
#: loader = DataLoader(TensorDataset(X, y), batch_size=25, shuffle=True)

model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)  # found: C406
for epoch in range(10):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()  # found: C406 C405
        optimizer.step()
    print(epoch, loss.item())
