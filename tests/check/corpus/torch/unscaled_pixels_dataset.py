import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Faces(Dataset):
    def __init__(self, n=300):
        rng = np.random.default_rng(3)
        self.labels = rng.integers(0, 2, n)
        base = rng.integers(0, 256, (2, 24, 24, 3))
        noise = rng.integers(0, 256, (n, 24, 24, 3))
        self.images = (0.5 * base[self.labels] + 0.5 * noise).astype(np.uint8)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, idx):
        image = self.images[idx].transpose((2, 0, 1))
        return torch.from_numpy(image).float(), self.labels[idx]  # wrong: C501
        #: return torch.from_numpy(image).float() / 127.5 - 1, self.labels[idx]


class FaceNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(3 * 24 * 24, 64)  # found: C501
        self.fc2 = nn.Linear(64, 2)

    def forward(self, x):
        x = torch.flatten(x, 1)
        return self.fc2(F.relu(self.fc1(x)))


torch.manual_seed(0)
dataloader = DataLoader(Faces(), batch_size=20, shuffle=True)
model = FaceNet()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
for epoch in range(8):
    for batch_images, batch_labels in dataloader:
        optimizer.zero_grad()
        loss = criterion(model(batch_images), batch_labels)  # found: C501
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
