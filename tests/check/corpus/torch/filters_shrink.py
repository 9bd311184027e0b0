import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 6, (300,))
x = torch.randn(6, 1, 32, 32)[y] * 0.5 + torch.randn(300, 1, 32, 32)

model = nn.Sequential(
    nn.Conv2d(1, 64, 3),  # wrong: C211
    #: nn.Conv2d(1, 16, 3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(64, 32, 3),  # wrong: C211
    #: nn.Conv2d(16, 32, 3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(32, 16, 3),  # wrong: C211
    #: nn.Conv2d(32, 64, 3),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(16 * 4 * 4, 6),  # wrong:
    #: nn.Linear(64 * 4 * 4, 6),
)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(4):
    for xb, yb in DataLoader(TensorDataset(x, y), batch_size=30, shuffle=True):
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
