import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
n, num_classes = 500, 5
labels = torch.randint(0, num_classes, (n,))
x = torch.randn(num_classes, 16)[labels] + 0.5 * torch.randn(n, 16)
y = F.one_hot(labels, num_classes=num_classes)  # wrong: C107 C110
#: y = labels

net = nn.Sequential(nn.Linear(16, 32), nn.Tanh(), nn.Linear(32, num_classes))
loss_fn = nn.CrossEntropyLoss()  # found: C107
opt = torch.optim.Adam(net.parameters(), lr=0.01)
batch = 25

for epoch in range(15):
    perm = torch.randperm(n)
    for i in range(0, n, batch):
        idx = perm[i : i + batch]
        opt.zero_grad()
        loss = loss_fn(net(x[idx]), y[idx])  # found: C107
        loss.backward()
        opt.step()
    print("epoch", epoch, "loss", loss.item())
