import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(600, 9)
y = 3 + 2 * X[:, :1] - X[:, 1:2] * X[:, 2:3] + 0.1 * torch.randn(600, 1)
loader = DataLoader(TensorDataset(X, y), batch_size=30, shuffle=True)

model = nn.Sequential(
    nn.Linear(9, 64),
    nn.BatchNorm1d(64),
    nn.ReLU(),
    nn.Linear(64, 1),
    nn.BatchNorm1d(1),  # wrong: C217
)
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(30):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
