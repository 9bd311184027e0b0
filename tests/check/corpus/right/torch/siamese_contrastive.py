import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Pairs(Dataset):
    def __init__(self, n=400):
        torch.manual_seed(0)
        self.y = torch.randint(0, 10, (n,))
        self.x = torch.randn(10, 32)[self.y] + 0.4 * torch.randn(n, 32)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        j = int(torch.randint(0, len(self), (1,)))
        if i % 2:
            same = (self.y == self.y[i]).nonzero().flatten()
            j = int(same[torch.randint(0, len(same), (1,))])
        return self.x[i], self.x[j], (self.y[i] != self.y[j]).float()


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(32, 64), nn.ReLU(inplace=True), nn.Linear(64, 5))

    def forward_once(self, x):
        return self.fc(x)

    def forward(self, a, b):
        return self.forward_once(a), self.forward_once(b)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=2.0):
        super().__init__()
        self.margin = margin

    def forward(self, output1, output2, label):
        distance = F.pairwise_distance(output1, output2)
        return torch.mean(
            (1 - label) * distance.pow(2)
            + label * torch.clamp(self.margin - distance, min=0.0).pow(2)
        )


net = SiameseNetwork()
criterion = ContrastiveLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.001)
for epoch in range(10):
    for img0, img1, label in DataLoader(Pairs(), batch_size=32, shuffle=True):
        optimizer.zero_grad()
        output1, output2 = net(img0, img1)
        loss_contrastive = criterion(output1, output2, label)
        loss_contrastive.backward()
        optimizer.step()
    print("Epoch {} loss {:.4f}".format(epoch, loss_contrastive.item()))
