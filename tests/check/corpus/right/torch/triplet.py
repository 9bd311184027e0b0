import torch
import torch.nn as nn

torch.manual_seed(0)
y = torch.arange(8).repeat_interleave(30)
X = torch.randn(8, 20)[y] + 0.5 * torch.randn(240, 20)
net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 8))
criterion = nn.TripletMarginLoss(margin=1.0)
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(30):
    anchor = torch.randperm(240)[:120]
    positive = y[anchor] * 30 + torch.randint(0, 30, (120,))
    negative = ((y[anchor] + torch.randint(1, 8, (120,))) % 8) * 30 + torch.randint(0, 30, (120,))
    loss = criterion(net(X[anchor]), net(X[positive]), net(X[negative]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 10 == 0:
        print(epoch, loss.item())
