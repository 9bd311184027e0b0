import numpy as np
import torch
import torch.nn as nn

rng = np.random.default_rng(0)
area = rng.uniform(30, 250, 500)
rooms = rng.integers(1, 7, 500)
income = rng.uniform(15_000, 120_000, 500)
age = rng.uniform(0, 1, 500)
features = np.stack([area, rooms, income, age], axis=1)
price = 2 * area / 100 + 0.3 * rooms + income / 50_000 - age + 0.1 * rng.normal(size=500)

X = torch.tensor(features, dtype=torch.float32)  # wrong: C502 C501
#: features = (features - features.mean(axis=0)) / features.std(axis=0)
#: X = torch.tensor(features, dtype=torch.float32)
y = torch.tensor(price, dtype=torch.float32).reshape(-1, 1)

model = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 1))  # found: C502 C501
loss_fn = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(200):
    y_pred = model(X)  # found: C502 C501
    loss = loss_fn(y_pred, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 50 == 0:
        print(epoch, loss.item())
