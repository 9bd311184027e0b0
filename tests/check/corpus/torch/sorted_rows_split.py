import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(0)
centers = torch.randn(3, 5)
X = torch.cat([centers[k] + 0.6 * torch.randn(50, 5) for k in range(3)])
y = torch.arange(3).repeat_interleave(50)
dataset = TensorDataset(X, y)

n_train = int(0.8 * len(dataset))
train_set = Subset(dataset, range(n_train))  # wrong: C506
#: train_set, val_set = torch.utils.data.random_split(dataset, [n_train, len(dataset) - n_train])
val_set = Subset(dataset, range(n_train, len(dataset)))  # wrong: C506
train_loader = DataLoader(train_set, batch_size=10, shuffle=True)
val_loader = DataLoader(val_set, batch_size=30)  # found: C506

model = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(20):
    for inputs, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        val = sum((model(a).argmax(1) == b).sum().item() for a, b in val_loader)
    print(epoch, loss.item(), val / len(val_set))
