import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(0)
# pictures as an image library reads them: height, width, colours
kind = rng.integers(0, 4, 400)
pictures = rng.uniform(0, 255, (400, 32, 32, 3)) * 0.3
for row, k in enumerate(kind):
    pictures[row, 8 * k : 8 * k + 8, 4:28, k % 3] += 150
pictures = pictures.astype("uint8")

X = torch.tensor(pictures / 255.0, dtype=torch.float32)
X = X.view(-1, 3, 32, 32)  # wrong: C204 C511
#: X = X.permute(0, 3, 1, 2)
y = torch.tensor(kind)
loader = DataLoader(TensorDataset(X, y), batch_size=40, shuffle=True)

model = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(16 * 8 * 8, 4),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
for epoch in range(5):
    for images, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
