import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
species = torch.randint(0, 5, (500,))
X = torch.randn(5, 10)[species] + 0.5 * torch.randn(500, 10)
Y = F.one_hot(species, 5).float()  # wrong:
#: Y = species
loader = DataLoader(TensorDataset(X, Y), batch_size=25, shuffle=True)

model = nn.Sequential(
    nn.Linear(10, 50),
    nn.ReLU(),
    nn.Linear(50, 5),
    nn.Softmax(dim=1),  # wrong: C116
)
loss_fn = nn.BCELoss()  # wrong: C116
#: loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
for epoch in range(20):
    for xb, yb in loader:
        loss = loss_fn(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
