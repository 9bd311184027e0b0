from torch import nn, optim, randn, manual_seed
import torch
import torch.nn.functional as F

manual_seed(0)
X = randn(400, 14)
y = (X[:, 0] + X[:, 1].abs() - 0.8).unsqueeze(1) + 0.1 * randn(400, 1)


class Regression(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(14, 64), nn.Linear(64, 64)])
        self.out = nn.Linear(64, 1)

    def forward(self, x):
        for layer in self.layers:
            x = F.dropout(F.relu(layer(x)), 0.2)  # wrong: C218
            #: x = F.dropout(F.relu(layer(x)), 0.2, self.training)
        return self.out(x)


net = Regression()
optimizer = optim.Adam(net.parameters(), lr=0.005)
for epoch in range(200):
    net.train()
    optimizer.zero_grad()
    loss = F.mse_loss(net(X[:300]), y[:300])
    loss.backward()
    optimizer.step()
    if epoch % 50 == 0:
        net.eval()
        with torch.no_grad():
            val = F.mse_loss(net(X[300:]), y[300:])
        print(epoch, loss.item(), val.item())
