import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.randn(500, 16)
y = (X[:, 0] * X[:, 1] > 0).long()


class Deep(nn.Module):
    def __init__(self, depth=30):
        super().__init__()
        self.inp = nn.Linear(16, 32)  # found: C307 C304
        self.blocks = nn.ModuleList([nn.Linear(32, 32) for _ in range(depth)])  # found: C304
        self.out = nn.Linear(32, 2)

    def forward(self, x):
        x = F.relu(self.inp(x))
        for block in self.blocks:
            x = F.relu(block(x))  # wrong: C307 C304
            #: x = x + 0.2 * F.relu(block(x))
        return self.out(x)


model = Deep()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(60):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(X), y)
    loss.backward()
    optimizer.step()
    if epoch % 20 == 0:
        print(epoch, loss.item())
