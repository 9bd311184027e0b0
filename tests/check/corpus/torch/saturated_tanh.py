import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(500, 100)
y = (X[:, :10].sum(1, keepdim=True) / 3).tanh() + 0.05 * torch.randn(500, 1)

model = nn.Sequential(
    nn.Linear(100, 64),  # found: C303 C306
    nn.Tanh(),  # found: C306
    nn.Linear(64, 64),  # found: C303 C306
    nn.Tanh(),  # found: C306
    nn.Linear(64, 1),  # found: C303
)
for p in model.parameters():
    if p.dim() > 1:
        nn.init.normal_(p, mean=0, std=2)  # wrong: C306 C303
        #: nn.init.xavier_normal_(p)
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
for epoch in range(20):
    for xb, yb in DataLoader(TensorDataset(X, y), batch_size=25, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
