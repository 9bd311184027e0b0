import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(20, 64)
        self.bn1 = nn.BatchNorm1d(64)
        self.drop = nn.Dropout(0.4)
        self.fc2 = nn.Linear(64, 1)

    def forward(self, x):
        return self.fc2(self.drop(F.relu(self.bn1(self.fc1(x))))).squeeze(1)


def train(model, loader, optimizer):
    #: model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


def validate(model, loader):
    model.eval()  # found: C410 C603
    with torch.no_grad():
        return sum(F.mse_loss(model(x), y).item() for x, y in loader) / len(loader)


def main():
    torch.manual_seed(0)
    X = torch.randn(800, 20)
    y = X[:, 0] + X[:, 1] * X[:, 2] + 0.1 * torch.randn(800)
    train_loader = DataLoader(TensorDataset(X[:600], y[:600]), batch_size=40, shuffle=True)
    val_loader = DataLoader(TensorDataset(X[600:], y[600:]), batch_size=40)
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(20):
        train_loss = train(model, train_loader, optimizer)  # found: C410 C603
        val_loss = validate(model, val_loader)
        print(f"{epoch}: train {train_loss:.4f} val {val_loss:.4f}")


if __name__ == "__main__":
    main()
