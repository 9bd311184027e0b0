import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 4, (400,))
X = torch.randn(4, 16)[y] + torch.randn(400, 16)

model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adadelta(model.parameters(), lr=0.001)  # wrong: C403 C402
#: optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
for epoch in range(10):
    for xb, yb in DataLoader(TensorDataset(X, y), batch_size=20, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
