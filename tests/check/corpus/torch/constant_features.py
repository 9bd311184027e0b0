import torch
import torch.nn as nn

torch.manual_seed(0)
measured = torch.randn(300, 5)
y = measured[:, :1] * 2 + measured[:, 1:2]
X = torch.cat([measured, torch.full((300, 3), 7.0)], dim=1)  # wrong: C504
#: X = measured

model = nn.Sequential(nn.Linear(X.shape[1], 20), nn.ReLU(), nn.Linear(20, 1))  # found: C504
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(200):
    optimizer.zero_grad()
    loss = criterion(model(X), y)  # found: C504
    loss.backward()
    optimizer.step()
    if epoch % 50 == 0:
        print(epoch, loss.item())
