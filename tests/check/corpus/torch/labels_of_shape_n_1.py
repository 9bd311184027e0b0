import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class CSVDataset(Dataset):
    """Rows of a table: features in front, the class in the last column."""

    def __init__(self, rows):
        data = rows.astype(np.float32)
        self.X = torch.from_numpy(data[:, :-1])
        self.y = torch.from_numpy(data[:, -1:]).long()  # wrong: C107
        #: self.y = torch.from_numpy(data[:, -1]).long()

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return self.X[index], self.y[index]


rng = np.random.default_rng(0)
kind = rng.integers(0, 3, 300)
table = np.column_stack([rng.normal(size=(300, 13)) + kind[:, None], kind])
train_loader = DataLoader(CSVDataset(table), batch_size=16, shuffle=True)

model = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))
criterion = nn.CrossEntropyLoss()  # found: C107
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

for epoch in range(30):
    for features, target in train_loader:
        output = model(features)
        loss = criterion(output, target)  # found: C107
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"Epoch [{epoch + 1}/30], Loss: {loss.item():.4f}")
