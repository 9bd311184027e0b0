import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 4, (400,))
X = torch.randn(4, 12)[y] + torch.randn(400, 12)
trainloader = DataLoader(TensorDataset(X, y), batch_size=20, shuffle=True)

net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 4))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(20):
    running_loss = 0.0
    for i, (inputs, labels) in enumerate(trainloader):
        outputs = net(inputs)
        loss = criterion(outputs, labels)
        #: optimizer.zero_grad()
        loss.backward()  # found: C409 C604
        optimizer.step()  # found: C409 C604
        running_loss += loss.item()
    print(epoch, running_loss / len(trainloader))
