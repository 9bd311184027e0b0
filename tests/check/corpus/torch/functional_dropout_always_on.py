import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 4, (700,))
X = torch.randn(4, 25)[y] + torch.randn(700, 25)
train_loader = DataLoader(TensorDataset(X[:600], y[:600]), batch_size=50, shuffle=True)
test_loader = DataLoader(TensorDataset(X[600:], y[600:]), batch_size=50)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(25, 80)
        self.fc2 = nn.Linear(80, 4)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.dropout(x, p=0.5)  # wrong: C218
        #: x = F.dropout(x, p=0.5, training=self.training)
        return self.fc2(x)


model = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)


def train():
    model.train()
    for data, target in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(data), target)
        loss.backward()
        optimizer.step()
    return loss.item()


def test():
    model.eval()
    correct = 0
    with torch.no_grad():
        for data, target in test_loader:
            correct += (model(data).argmax(1) == target).sum().item()
    return correct / len(test_loader.dataset)


for epoch in range(1, 16):
    print(f"epoch {epoch}: loss {train():.4f} accuracy {test():.3f}")
