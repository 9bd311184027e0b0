import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(500, 10)
y = X[:, 0] * 2 + X[:, 1]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(10, 30)
        self.fc2 = nn.Linear(30, 1)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        return self.fc2(x).squeeze(1)


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
criterion = nn.MSELoss()
for epoch in range(10):
    for xb, yb in DataLoader(TensorDataset(X, y), batch_size=50, shuffle=True):
        optimizer.zero_grad()
        output = net(xb).detach()  # wrong: C412
        #: output = net(xb)
        loss = criterion(output, yb)
        loss.requires_grad = True  # wrong: C412
        loss.backward()  # found: C412
        optimizer.step()
    print(epoch, loss.item())
