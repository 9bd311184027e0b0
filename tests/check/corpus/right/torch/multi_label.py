import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(700, 24)
Y = (X @ torch.randn(24, 7) > 4).float()
loader = DataLoader(TensorDataset(X, Y), batch_size=35, shuffle=True)
model = nn.Sequential(nn.Linear(24, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 7))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for epoch in range(20):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        logits = model(x)
        loss = criterion(logits, y)
        loss.backward()
        optimizer.step()
    predicted = (torch.sigmoid(logits) > 0.5).float()
    print(epoch, loss.item(), (predicted == y).float().mean().item())
