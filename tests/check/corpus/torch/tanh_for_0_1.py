import torch
import torch.nn as nn

torch.manual_seed(0)
X = torch.randn(300, 6)
y = ((X[:, 0] > 0) ^ (X[:, 1] > 0)).float().view(-1, 1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(6, 20)
        self.l2 = nn.Linear(20, 1)

    def forward(self, x):
        x = torch.tanh(self.l1(x))
        return torch.tanh(self.l2(x))  # wrong: C111 C103
        #: return torch.sigmoid(self.l2(x))


net = Net()
criterion = nn.BCELoss()  # found: C103
opt = torch.optim.Adam(net.parameters(), lr=0.02)
for it in range(300):
    opt.zero_grad()
    out = net(X)
    loss = criterion(out, y)
    loss.backward()
    opt.step()
    if it % 50 == 0:
        print(it, loss.item())
