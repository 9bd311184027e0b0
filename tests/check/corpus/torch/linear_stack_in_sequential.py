import numpy as np
import torch
import torch.nn as nn

rng = np.random.default_rng(0)
X = rng.uniform(-3, 3, size=(500, 1)).astype("float32")
y = (np.sin(X) + 0.3 * np.cos(3 * X) + rng.normal(scale=0.05, size=X.shape)).astype("float32")
X, y = torch.from_numpy(X), torch.from_numpy(y)

model = nn.Sequential()
model.add_module("dense1", nn.Linear(1, 64))  # wrong: C201
#: model.add_module("dense1", nn.Linear(1, 64))
#: model.add_module("relu1", nn.ReLU())
model.add_module("dense2", nn.Linear(64, 64))  # wrong: C201
#: model.add_module("dense2", nn.Linear(64, 64))
#: model.add_module("relu2", nn.ReLU())
model.add_module("output", nn.Linear(64, 1))

criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
n_epochs = 200
for epoch in range(n_epochs):
    optimizer.zero_grad()
    y_hat = model(X)
    loss = criterion(y_hat, y)
    loss.backward()
    optimizer.step()
    if (epoch + 1) % 50 == 0:
        print(f"epoch: {epoch + 1}, loss = {loss.item():.4f}")
