import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
classes = ("walking", "running", "sitting", "standing", "lying")
y = torch.arange(500) % len(classes)
y = y[torch.randperm(500)]
X = torch.randn(5, 30)[y] + torch.randn(500, 30)

model = nn.Sequential(
    nn.Linear(30, 64),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(64, 4),  # wrong: C106
    #: nn.Linear(64, 5),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
loader = DataLoader(TensorDataset(X, y), batch_size=50, shuffle=True)

for epoch in range(20):
    for xb, yb in loader:
        optimizer.zero_grad()
        out = model(xb)
        loss = criterion(out, yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
