import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(600, 8)
price = 250_000 + 80_000 * X[:, 0] - 30_000 * X[:, 1] + 10_000 * torch.randn(600)
y = price.unsqueeze(1)  # wrong: C515
#: y = ((price - price.mean()) / price.std()).unsqueeze(1)
loader = DataLoader(TensorDataset(X, y), batch_size=32, shuffle=True)

model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
criterion = nn.MSELoss()  # found: C515
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
for epoch in range(20):
    total = 0.0
    for features, target in loader:
        optimizer.zero_grad()
        loss = criterion(model(features), target)  # found: C515
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(epoch, total / len(loader))
