import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 6, (600,))
X = torch.randn(6, 20)[y] + torch.randn(600, 20)
loader = DataLoader(TensorDataset(X, y), batch_size=30, shuffle=True)

learning_rate = 10  # wrong:
#: learning_rate = 0.1
model = nn.Sequential(nn.Linear(20, 50), nn.ReLU(), nn.Linear(50, 6))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)  # found: C401
for epoch in range(15):
    total = 0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(epoch, total / len(loader))
