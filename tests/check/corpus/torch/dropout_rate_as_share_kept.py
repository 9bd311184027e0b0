import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 5, (500,))
X = torch.randn(5, 30)[y] + torch.randn(500, 30)
keep_prob = 0.9


class DNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(30, 100)
        self.fc2 = nn.Linear(100, 100)
        self.fc3 = nn.Linear(100, 5)
        self.drop = nn.Dropout(p=keep_prob)  # wrong: C207
        #: self.drop = nn.Dropout(p=1 - keep_prob)

    def forward(self, x):
        x = self.drop(F.relu(self.fc1(x)))
        x = self.drop(F.relu(self.fc2(x)))
        return self.fc3(x)


model = DNN().train()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(25):
    for xb, yb in DataLoader(TensorDataset(X, y), batch_size=50, shuffle=True):
        loss = F.cross_entropy(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
