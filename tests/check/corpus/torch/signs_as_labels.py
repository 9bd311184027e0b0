import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(500, 12)
w = torch.randn(12)
y = torch.sign(X @ w + 0.2 * torch.randn(500))  # wrong: C109
#: y = (X @ w + 0.2 * torch.randn(500) > 0).float()
y = y.view(-1, 1)
loader = DataLoader(TensorDataset(X, y), batch_size=50, shuffle=True)

model = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 1))
criterion = nn.BCEWithLogitsLoss()  # found: C109
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)

for epoch in range(30):
    epoch_loss = 0
    for data, target in loader:
        optimizer.zero_grad()
        output = model(data)
        loss = criterion(output, target)  # found: C109
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
    print(f"Epoch {epoch}: {epoch_loss / len(loader):.4f}")
