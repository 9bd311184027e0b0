import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class Listings(Dataset):
    """Words of an advert, and numbers about the flat."""

    def __init__(self, n=500):
        g = torch.Generator().manual_seed(0)
        self.text = torch.randn(n, 30, generator=g)
        self.numbers = torch.randn(n, 5, generator=g)
        self.y = self.text[:, 0] + self.numbers.sum(1)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.text[i], self.numbers[i], self.y[i]


class TwoTower(nn.Module):
    def __init__(self):
        super().__init__()
        self.text_net = nn.Sequential(nn.Linear(30, 16), nn.ReLU())
        self.num_net = nn.Sequential(nn.Linear(5, 16), nn.ReLU())
        self.head = nn.Linear(32, 1)

    def forward(self, text, numbers):
        a = self.text_net(text)
        b = self.num_net(numbers)  # found: C215 C214
        return self.head(torch.cat([a, a], dim=1)).squeeze(1)  # wrong: C215 C214
        #: return self.head(torch.cat([a, b], dim=1)).squeeze(1)


torch.manual_seed(0)
model = TwoTower()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
for epoch in range(20):
    for text, numbers, target in DataLoader(Listings(), batch_size=50, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(text, numbers), target)  # found: C215
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
