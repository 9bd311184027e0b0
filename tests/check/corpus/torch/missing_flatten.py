import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 3, (300,))
x = torch.rand(3, 3, 32, 32)[y] * 0.6 + torch.rand(300, 3, 32, 32) * 0.4
x = (x - 0.5) / 0.5
loader = DataLoader(TensorDataset(x, y), batch_size=30, shuffle=True)

model = nn.Sequential(
    nn.Conv2d(3, 16, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(16, 32, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),  # wrong: C203
    #: nn.MaxPool2d(2),
    #: nn.Flatten(),
    nn.Linear(32 * 8 * 8, 64),  # found: C203
    nn.ReLU(),
    nn.Linear(64, 3),
)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(5):
    for inputs, targets in loader:
        optimizer.zero_grad()
        outputs = model(inputs)  # found: C203
        loss = loss_fn(outputs, targets)
        loss.backward()
        optimizer.step()
    print("epoch", epoch, loss.item())
