import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 3, (500,))
X = torch.randn(3, 11)[y] + torch.randn(500, 11)

x_train, y_train = X, y  # wrong: C507
#: x_train, y_train = X[100:], y[100:]
x_test, y_test = X[:100], y[:100]  # found: C507
train_loader = DataLoader(TensorDataset(x_train, y_train), batch_size=20, shuffle=True)
test_loader = DataLoader(TensorDataset(x_test, y_test), batch_size=100)  # found: C507

model = nn.Sequential(nn.Linear(11, 24), nn.ReLU(), nn.Linear(24, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for epoch in range(10):
    model.train()
    for inputs, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for inputs, labels in test_loader:
            accuracy = (model(inputs).argmax(1) == labels).float().mean()
    print(epoch, loss.item(), accuracy.item())
