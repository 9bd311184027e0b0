import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(600, 16)
kind = (X[:, :3].argmax(1)).long()
size = X[:, 3:6].sum(1) + 0.1 * torch.randn(600)


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(16, 64)
        self.class_head = nn.Linear(64, 3)
        self.value_head = nn.Linear(64, 1)

    def forward(self, x):
        h = F.relu(self.body(x))
        return self.class_head(h), self.value_head(h).squeeze(-1)


model = TwoHeads()
ce, mse = nn.CrossEntropyLoss(), nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(20):
    for x, k, s in DataLoader(TensorDataset(X, kind, size), batch_size=40, shuffle=True):
        logits, value = model(x)
        loss = ce(logits, k) + 0.5 * mse(value, s)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    print(epoch, loss.item())
