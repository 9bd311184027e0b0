import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
# temperature of tomorrow in degrees Celsius, from the last seven days (standardized)
day = torch.arange(800).float()
temps = 12 + 9 * torch.sin(day * 2 * torch.pi / 365) + torch.randn(800)
windows = temps.unfold(0, 8, 1)
X, y = (windows[:, :7] - 12) / 7, windows[:, 7:]
loader = DataLoader(TensorDataset(X, y), batch_size=32, shuffle=True)


class Forecast(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(7, 32)
        self.fc2 = nn.Linear(32, 1)
        self.relu = nn.ReLU()
        self.sigmoid = nn.Sigmoid()  # wrong: C115

    def forward(self, x):
        x = self.relu(self.fc1(x))
        x = self.sigmoid(self.fc2(x))  # wrong: C115
        #: x = self.fc2(x)
        return x


model = Forecast()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for epoch in range(30):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    print("epoch %d, mse %.3f" % (epoch, loss.item()))
