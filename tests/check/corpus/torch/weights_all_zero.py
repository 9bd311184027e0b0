import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 4, (400,))
X = torch.randn(4, 18)[y] + 0.8 * torch.randn(400, 18)


def weights_init(m):
    if isinstance(m, nn.Linear):
        nn.init.zeros_(m.weight)  # wrong: C301
        #: nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


model = nn.Sequential(
    nn.Linear(18, 40),  # found: C301
    nn.ReLU(),
    nn.Linear(40, 40),  # found: C301
    nn.ReLU(),
    nn.Linear(40, 4),
)
model.apply(weights_init)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(20):
    for xb, yb in DataLoader(TensorDataset(X, y), batch_size=40, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
