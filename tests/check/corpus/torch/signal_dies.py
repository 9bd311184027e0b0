import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 5, (500,))
X = torch.randn(5, 64)[y] + torch.randn(500, 64)


def init_normal(m):
    if type(m) is nn.Linear:
        nn.init.normal_(m.weight, std=0.001)  # wrong: C303 C304
        #: nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
        nn.init.zeros_(m.bias)


net = nn.Sequential(
    nn.Linear(64, 128),  # found: C303 C304
    nn.ReLU(),  # found: C304
    nn.Linear(128, 128),  # found: C303 C304
    nn.ReLU(),  # found: C304
    nn.Linear(128, 128),  # found: C303 C304
    nn.ReLU(),  # found: C304
    nn.Linear(128, 5),  # found: C303 C304
)
net.apply(init_normal)
loss = nn.CrossEntropyLoss()
trainer = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(10):
    for xb, yb in DataLoader(TensorDataset(X, y), batch_size=25, shuffle=True):
        trainer.zero_grad()
        l = loss(net(xb), yb)
        l.backward()
        trainer.step()
    print(epoch, l.item())
