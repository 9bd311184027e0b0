import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(1)
labels = rng.integers(0, 4, 400).astype("float32")
inputs = rng.normal(size=(400, 9)).astype("float32") + labels[:, None]

x_train = torch.Tensor(inputs)
y_train = torch.Tensor(labels)  # wrong: C110
#: y_train = torch.LongTensor(labels.astype(int))
trainset = TensorDataset(x_train, y_train)
trainloader = DataLoader(trainset, batch_size=40, shuffle=True)

net = nn.Sequential(nn.Linear(9, 30), nn.ReLU(), nn.Linear(30, 4))
criterion = nn.CrossEntropyLoss()  # found: C110
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

for epoch in range(20):
    running_loss = 0.0
    for inputs, labels in trainloader:
        optimizer.zero_grad()
        outputs = net(inputs)
        loss = criterion(outputs, labels)  # found: C110
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    print(epoch + 1, running_loss)
