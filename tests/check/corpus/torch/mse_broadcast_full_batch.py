import numpy as np
import torch
import torch.nn as nn

np.random.seed(0)
torch.manual_seed(0)
x = np.random.rand(200, 4)
y = 2 * x[:, 0] - 3 * x[:, 1] + x[:, 2] * x[:, 3] + 0.05 * np.random.randn(200)

X = torch.tensor(x, dtype=torch.float32)
Y = torch.tensor(y, dtype=torch.float32)

model = nn.Sequential(nn.Linear(4, 50), nn.ReLU(), nn.Linear(50, 1))
criterion = nn.MSELoss()  # found: C117
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for epoch in range(500):
    y_pred = model(X)
    loss = criterion(y_pred, Y)  # wrong: C117
    #: loss = criterion(y_pred.squeeze(1), Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 100 == 0:
        print("epoch {}, loss {}".format(epoch, loss.item()))
