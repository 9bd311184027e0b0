import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(500, 8)
y = X[:, :1] * 1.5 - X[:, 1:2] + 0.1 * torch.randn(500, 1)
loader = DataLoader(TensorDataset(X, y), batch_size=25, shuffle=True)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for epoch in range(10):
    score = 0.0
    for inputs, targets in loader:
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = criterion(outputs, targets)
        loss.backward()
        optimizer.step()
        score += (outputs == targets).sum().item()  # wrong: C114
        #: score += (outputs - targets).abs().sum().item()
    print("epoch", epoch, "loss", loss.item(), "score", score / len(X))
