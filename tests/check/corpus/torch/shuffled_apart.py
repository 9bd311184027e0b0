import numpy as np
import torch
import torch.nn as nn

np.random.seed(0)
X = np.random.randn(600, 8).astype("float32")
y = (X[:, 0] + X[:, 1] > 0).astype("int64")

np.random.shuffle(X)  # wrong: C514
#: order = np.random.permutation(len(X))
np.random.shuffle(y)  # wrong: C514
#: X, y = X[order], y[order]

x_train, y_train = torch.from_numpy(X[:500]), torch.from_numpy(y[:500])
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(100):
    optimizer.zero_grad()
    loss = criterion(model(x_train), y_train)
    loss.backward()
    optimizer.step()
    if epoch % 20 == 0:
        print(epoch, loss.item())
