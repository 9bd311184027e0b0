import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Blobs(Dataset):
    """Pictures with a disc and a square, and the class of each pixel."""

    def __init__(self, n=60):
        g = torch.Generator().manual_seed(0)
        yy, xx = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
        self.masks = torch.zeros(n, 32, 32, dtype=torch.long)
        for i in range(n):
            a, b, c, d = torch.randint(6, 26, (4,), generator=g).tolist()
            self.masks[i][(yy - a) ** 2 + (xx - b) ** 2 < 25] = 1
            self.masks[i][c - 4 : c + 4, d - 4 : d + 4] = 2
        tint = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.2, 0.0], [0.0, 0.5, 1.0]])
        self.images = tint[self.masks].permute(0, 3, 1, 2)
        self.images = self.images + 0.3 * torch.randn(self.images.shape, generator=g)

    def __len__(self):
        return len(self.masks)

    def __getitem__(self, i):
        return self.images[i], self.masks[i]


def double_conv(a, b):
    return nn.Sequential(
        nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True)
    )


class UNet(nn.Module):
    def __init__(self, n_classes=3):
        super().__init__()
        self.down1 = double_conv(3, 16)
        self.down2 = double_conv(16, 32)
        self.up = nn.ConvTranspose2d(32, 16, 2, stride=2)
        self.conv = double_conv(32, 16)
        self.out = nn.Conv2d(16, n_classes, 1)

    def forward(self, x):
        x1 = self.down1(x)
        x2 = self.down2(F.max_pool2d(x1, 2))
        x = torch.cat([x1, self.up(x2)], dim=1)
        return self.out(self.conv(x))


torch.manual_seed(0)
model = UNet()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(8):
    model.train()
    for images, masks in DataLoader(Blobs(), batch_size=6, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(images), masks)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
