import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 3, (600,))
X = torch.randn(3, 20)[y] + 0.7 * torch.randn(600, 20)


class DeepNet(nn.Module):
    def __init__(self, depth=8, width=32):
        super().__init__()
        layers = [nn.Linear(20, width)]
        for _ in range(depth - 1):
            layers.append(nn.Sigmoid())  # wrong: C212 C307 C304
            #: layers.append(nn.ReLU())
            layers.append(nn.Linear(width, width))
        layers.append(nn.Sigmoid())  # wrong: C212 C307 C304
        #: layers.append(nn.ReLU())
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        return self.head(self.body(x))


model = DeepNet()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
for epoch in range(20):
    for xb, yb in DataLoader(TensorDataset(X, y), batch_size=60, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
