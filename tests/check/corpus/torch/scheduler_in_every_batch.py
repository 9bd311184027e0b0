import torch
import torch.nn as nn
import torch.optim as optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 8, (800,))
X = torch.randn(8, 32)[y] + torch.randn(800, 32)
loader = DataLoader(TensorDataset(X, y), batch_size=16, shuffle=True)

model = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 8))
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
# a tenth after every tenth epoch
scheduler = StepLR(optimizer, step_size=10, gamma=0.1)  # found: C407

for epoch in range(30):
    running_loss = 0.0
    for inputs, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        scheduler.step()  # wrong: C407
        running_loss += loss.item()
    print(f"epoch {epoch} loss {running_loss / len(loader):.4f}")
    #: scheduler.step()
