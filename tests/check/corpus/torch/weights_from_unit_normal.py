import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 10, (600,))
X = torch.randn(10, 256)[y] * 0.5 + torch.randn(600, 256)


class Perceptron(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(256, 300)  # found: C303 C304
        self.l2 = nn.Linear(300, 300)  # found: C303 C304
        self.l3 = nn.Linear(300, 10)  # found: C303 C304
        self.init_weights()

    def init_weights(self):
        for layer in (self.l1, self.l2, self.l3):
            layer.weight.data.normal_(0.0, 1.0)  # wrong: C303 C304
            #: layer.weight.data.normal_(0.0, (2 / layer.in_features) ** 0.5)
            layer.bias.data.fill_(0)

    def forward(self, x):
        x = torch.relu(self.l1(x))
        x = torch.relu(self.l2(x))
        return self.l3(x)


model = Perceptron()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(10):
    for xb, yb in DataLoader(TensorDataset(X, y), batch_size=30, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
