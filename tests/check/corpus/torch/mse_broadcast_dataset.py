import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, random_split


class WineQuality(Dataset):
    def __init__(self, n=600):
        g = torch.Generator().manual_seed(0)
        self.features = torch.randn(n, 11, generator=g)
        noise = 0.3 * torch.randn(n, generator=g)
        self.quality = self.features[:, 10] - 0.5 * self.features[:, 1] + noise

    def __len__(self):
        return len(self.features)

    def __getitem__(self, idx):
        return self.features[idx], self.quality[idx]


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(11, 64)
        self.fc2 = nn.Linear(64, 32)
        self.out = nn.Linear(32, 1)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.out(x)


def train_one_epoch(model, loader, optimizer):
    model.train()
    total = 0.0
    for features, target in loader:
        optimizer.zero_grad()
        output = model(features)
        loss = F.mse_loss(output, target)  # wrong: C117
        #: loss = F.mse_loss(output, target.unsqueeze(1))
        loss.backward()
        optimizer.step()
        total += loss.item() * features.size(0)
    return total / len(loader.dataset)


if __name__ == "__main__":
    torch.manual_seed(0)
    dataset = WineQuality()
    train_set, val_set = random_split(dataset, [480, 120])
    train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
    model = Regressor()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-5)
    for epoch in range(40):
        loss = train_one_epoch(model, train_loader, optimizer)
        print(f"epoch {epoch + 1:2d}  train loss {loss:.4f}")
