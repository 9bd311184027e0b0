import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 3, (300,))
X = torch.randn(3, 9)[y] + 0.7 * torch.randn(300, 9)
loader = DataLoader(TensorDataset(X, y), batch_size=30, shuffle=True)

model = nn.Sequential(nn.Linear(9, 20), nn.ReLU(), nn.Linear(20, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(10):
    for inputs, labels in loader:
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.zero_grad()  # wrong: C414 C604
        optimizer.step()  # found: C414 C604
        #: optimizer.zero_grad()
    print(epoch, loss.item())
