import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 5, (500,))
X = torch.randn(5, 24)[y] + torch.randn(500, 24)


class MLP(nn.Module):
    def __init__(self, sizes, n_classes):
        super().__init__()
        self.hidden = []  # wrong: C411
        #: self.hidden = nn.ModuleList()
        for n_in, n_out in zip(sizes[:-1], sizes[1:]):
            self.hidden.append(nn.Linear(n_in, n_out))  # found: C411
        self.out = nn.Linear(sizes[-1], n_classes)

    def forward(self, x):
        for layer in self.hidden:
            x = torch.relu(layer(x))
        return self.out(x)


model = MLP([24, 64, 32], 5)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)  # found: C411
for epoch in range(15):
    for xb, yb in DataLoader(TensorDataset(X, y), batch_size=25, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
