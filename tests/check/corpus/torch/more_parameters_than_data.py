import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(120, 10)
y = (X[:, 0] > 0).long()
loader = DataLoader(TensorDataset(X, y), batch_size=20, shuffle=True)

model = nn.Sequential(
    nn.Linear(10, 1024),  # wrong: C216
    #: nn.Linear(10, 16),
    nn.ReLU(),
    nn.Linear(1024, 1024),  # wrong: C216
    #: nn.Linear(16, 16),
    nn.ReLU(),
    nn.Linear(1024, 2),  # wrong: C216
    #: nn.Linear(16, 2),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(60):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
print(loss.item())
