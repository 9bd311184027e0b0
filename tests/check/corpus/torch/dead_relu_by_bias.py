import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 3, (300,))
X = torch.randn(3, 12)[y] + 0.5 * torch.randn(300, 12)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(12, 50)  # found: C305 C308
        self.relu = nn.ReLU()  # found: C305 C308
        self.fc2 = nn.Linear(50, 3)
        nn.init.constant_(self.fc1.bias, -10.0)  # wrong: C305 C308
        #: nn.init.constant_(self.fc1.bias, 0.1)

    def forward(self, x):
        return self.fc2(self.relu(self.fc1(x)))


model = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(20):
    for xb, yb in DataLoader(TensorDataset(X, y), batch_size=30, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
