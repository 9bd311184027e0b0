import torch
import torch.nn as nn

torch.manual_seed(0)
X = torch.randn(300, 5)
y = X @ torch.tensor([[1.0], [-2.0], [0.5], [0.0], [3.0]]) + 0.1 * torch.randn(300, 1)

model = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
loss_fn = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=1e-8)  # wrong: C402
#: optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)

for t in range(500):
    y_pred = model(X)
    loss = loss_fn(y_pred, y)
    if t % 100 == 99:
        print(t, loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
