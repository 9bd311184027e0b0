import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.randn(300, 7)
y = (X[:, 0] * X[:, 1]).unsqueeze(1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(7, 30)  # found: C302
        self.fc2 = nn.Linear(30, 30)  # found: C302
        self.fc3 = nn.Linear(30, 1)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.constant_(m.weight, 0.1)  # wrong: C302
                #: nn.init.kaiming_normal_(m.weight)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(300):
    opt.zero_grad()
    loss = F.mse_loss(net(X), y)
    loss.backward()
    opt.step()
    if step % 50 == 0:
        print(step, loss.item())
