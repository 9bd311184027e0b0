import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.rand(400, 8)
y = X.sum(1, keepdim=True) - 4


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Linear(8, 16)  # found: C308
        self.decode = nn.Linear(16, 1)

    def forward(self, x):
        code = torch.round(torch.sigmoid(self.encode(x)))  # wrong: C308
        #: code = torch.sigmoid(self.encode(x))
        return self.decode(code)


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for i in range(300):
    optimizer.zero_grad()
    loss = F.mse_loss(net(X), y)
    loss.backward()
    optimizer.step()
    if i % 50 == 0:
        print(i, loss.item())
