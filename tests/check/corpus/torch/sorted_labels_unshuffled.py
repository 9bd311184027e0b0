import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
# one folder for each class, read one after the other
X = torch.cat([torch.randn(150, 15) + 1.5 * torch.randn(15) for _ in range(4)])
y = torch.cat([torch.full((150,), k) for k in range(4)])

trainloader = DataLoader(TensorDataset(X, y), batch_size=30)  # wrong: C505
#: trainloader = DataLoader(TensorDataset(X, y), batch_size=30, shuffle=True)
model = nn.Sequential(nn.Linear(15, 32), nn.ReLU(), nn.Linear(32, 4))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(10):
    for inputs, labels in trainloader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()  # found: C505
        optimizer.step()
    print(epoch, loss.item())
