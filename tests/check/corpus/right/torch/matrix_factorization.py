import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
users = torch.randint(0, 50, (2000,))
items = torch.randint(0, 80, (2000,))
taste, kind = torch.randn(50, 3), torch.randn(80, 3)
ratings = (3 + (taste[users] * kind[items]).sum(1)).clamp(1, 5).round()


class MF(nn.Module):
    def __init__(self, n_users, n_items, k=8):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, k)
        self.item_factors = nn.Embedding(n_items, k)
        self.item_bias = nn.Embedding(n_items, 1)
        nn.init.normal_(self.user_factors.weight, std=0.1)
        nn.init.normal_(self.item_factors.weight, std=0.1)
        nn.init.constant_(self.item_bias.weight, 3.0)

    def forward(self, user, item):
        dot = (self.user_factors(user) * self.item_factors(item)).sum(1)
        return dot + self.item_bias(item).squeeze(1)


model = MF(50, 80)
loss_fn = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for epoch in range(10):
    for u, i, r in DataLoader(TensorDataset(users, items, ratings), batch_size=100, shuffle=True):
        optimizer.zero_grad()
        loss = loss_fn(model(u, i), r)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
