import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 8, (640,))
X = torch.randn(8, 24)[y] + 0.8 * torch.randn(640, 24)
loader = DataLoader(TensorDataset(X, y), batch_size=64, shuffle=True)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin1 = nn.Linear(24, 48)
        self.lin2 = nn.Linear(48, 8)

    def forward(self, x):
        x = F.relu(self.lin1(x))
        x = self.lin2(x)
        return F.log_softmax(x, dim=0)  # wrong: C119
        #: return F.log_softmax(x, dim=1)


model = MLP()
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(20):
    for data, target in loader:
        opt.zero_grad()
        loss = F.nll_loss(model(data), target)
        loss.backward()
        opt.step()
    print("epoch", epoch, "loss", loss.item())
