import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 10, (800,))
X = torch.randn(10, 50)[y] + torch.randn(800, 50)
loader = DataLoader(TensorDataset(X, y), batch_size=80, shuffle=True)

model = nn.Sequential(
    nn.Linear(50, 128),
    nn.ReLU(),
    nn.Dropout(0.3),
    nn.Linear(128, 10),
    nn.Dropout(0.3),  # wrong: C206
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.5)
for epoch in range(20):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    scheduler.step()
    print(epoch, scheduler.get_last_lr()[0], loss.item())
