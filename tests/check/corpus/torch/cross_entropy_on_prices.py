import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(500, 5)
price = (X @ torch.tensor([0.8, -0.4, 0.3, 0.0, 0.5]) + 0.1 * torch.randn(500)).unsqueeze(1)
train_loader = DataLoader(TensorDataset(X, price), batch_size=32, shuffle=True)


class HousePrices(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x):
        return self.net(x)


model = HousePrices()
loss_func = nn.CrossEntropyLoss()  # wrong: C113 C106
#: loss_func = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)

for epoch in range(20):
    for xb, yb in train_loader:
        prediction = model(xb)
        loss = loss_func(prediction, yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("epoch", epoch, loss.item())
