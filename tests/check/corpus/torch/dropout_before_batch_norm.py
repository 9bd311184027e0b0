import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 3, (600,))
X = torch.randn(3, 40)[y] + 1.5 * torch.randn(600, 40)
loader = DataLoader(TensorDataset(X, y), batch_size=60, shuffle=True)


class Block(nn.Module):
    def __init__(self, n_in, n_out, p=0.5):
        super().__init__()
        self.linear = nn.Linear(n_in, n_out)
        self.dropout = nn.Dropout(p)  # found: C205
        self.norm = nn.BatchNorm1d(n_out)  # found: C205

    def forward(self, x):
        x = torch.relu(self.linear(x))
        return self.norm(self.dropout(x))  # wrong: C205
        #: return self.dropout(self.norm(x))


model = nn.Sequential(Block(40, 64), Block(64, 32), nn.Linear(32, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(20):
    model.train()
    for xb, yb in loader:
        loss = criterion(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
