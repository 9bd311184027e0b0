import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(0)
y_train = rng.integers(0, 5, 500)
shapes, noise = rng.integers(0, 256, (5, 20, 20)), rng.integers(0, 256, (500, 20, 20))
pixels = (0.6 * shapes[y_train] + 0.4 * noise).astype("uint8")
x_train = pixels.astype("float32") / 255.0

tensor_x = torch.tensor(x_train / 255.0).reshape(-1, 400)  # wrong: C513
#: tensor_x = torch.tensor(x_train).reshape(-1, 400)
tensor_y = torch.tensor(y_train)
loader = DataLoader(TensorDataset(tensor_x, tensor_y), batch_size=25, shuffle=True)

model = nn.Sequential(nn.Linear(400, 64), nn.ReLU(), nn.Linear(64, 5))  # found: C513
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(10):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
