import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class Pictures(Dataset):
    def __init__(self, n=200):
        rng = np.random.default_rng(0)
        self.y = rng.integers(0, 3, n)
        noise = rng.random((n, 32, 32, 3))
        self.x = (rng.random((3, 32, 32, 3))[self.y] * 0.6 + noise * 0.4).astype("float32")

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        image = torch.from_numpy(self.x[i]) - 0.5  # wrong: C511
        #: image = torch.from_numpy(self.x[i]).permute(2, 0, 1) - 0.5
        return image, int(self.y[i])


model = nn.Sequential(
    nn.Conv2d(3, 16, 3, stride=2),  # found: C511
    nn.ReLU(),
    nn.Conv2d(16, 32, 3, stride=2),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(32 * 7 * 7, 3),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
for epoch in range(5):
    for images, labels in DataLoader(Pictures(), batch_size=20, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(images), labels)  # found: C511
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
