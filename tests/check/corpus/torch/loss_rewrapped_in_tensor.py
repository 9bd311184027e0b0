import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 2, (400,))
X = torch.randn(2, 14)[y] + torch.randn(400, 14)
y = y.float().unsqueeze(1)

model = nn.Sequential(nn.Linear(14, 28), nn.ReLU(), nn.Linear(28, 1), nn.Sigmoid())
loss_function = nn.BCELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(15):
    for features, labels in DataLoader(TensorDataset(X, y), batch_size=20, shuffle=True):
        prediction = model(features)
        loss = loss_function(prediction, labels)
        loss = torch.tensor(loss.item(), requires_grad=True)  # wrong: C412
        optimizer.zero_grad()
        loss.backward()  # found: C412
        optimizer.step()
    print(epoch, loss.item())
