import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(30, 60)
        self.dropout = nn.Dropout(0.5)
        self.fc2 = nn.Linear(60, 5)

    def forward(self, x):
        return self.fc2(self.dropout(F.relu(self.fc1(x))))


def train(model, loader, optimizer):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()


def test(model, loader):
    #: model.eval()
    correct = 0
    with torch.no_grad():  # found: C603
        for x, y in loader:
            output = model(x)  # found: C603
            pred = output.max(1, keepdim=True)[1]
            correct += pred.eq(y.view_as(pred)).sum().item()
    return 100.0 * correct / len(loader.dataset)


torch.manual_seed(0)
y = torch.randint(0, 5, (800,))
X = torch.randn(5, 30)[y] + torch.randn(800, 30)
train_loader = DataLoader(TensorDataset(X[:600], y[:600]), batch_size=50, shuffle=True)
test_loader = DataLoader(TensorDataset(X[600:], y[600:]), batch_size=100)
model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
for epoch in range(10):
    train(model, train_loader, optimizer)
    print("epoch", epoch, "accuracy", test(model, test_loader))  # found: C603
