import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(0)
labels = rng.integers(0, 10, 800)
shapes = rng.integers(0, 256, (10, 28, 28))
images = (0.7 * shapes[labels] + 0.3 * rng.integers(0, 256, (800, 28, 28))).astype("uint8")

X = torch.tensor(images, dtype=torch.float32).unsqueeze(1)  # wrong: C501
#: X = torch.tensor(images, dtype=torch.float32).unsqueeze(1) / 255
y = torch.tensor(labels)
train_loader = DataLoader(TensorDataset(X, y), batch_size=50, shuffle=True)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5)  # found: C501
        self.conv2 = nn.Conv2d(8, 16, 5)
        self.fc = nn.Linear(16 * 4 * 4, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        return self.fc(x.view(x.size(0), -1))


net = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
for epoch in range(12):
    for inputs, targets in train_loader:
        optimizer.zero_grad()
        outputs = net(inputs)  # found: C501
        loss = criterion(outputs, targets)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
