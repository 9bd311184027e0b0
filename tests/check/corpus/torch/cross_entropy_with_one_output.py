import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X_train = torch.randn(400, 10)
y_train = (X_train[:, 0] * X_train[:, 1] > 0).long()


class LogisticNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(10, 32)
        self.fc2 = nn.Linear(32, 32)
        self.fc3 = nn.Linear(32, 1)  # wrong: C106
        #: self.fc3 = nn.Linear(32, 2)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


model = LogisticNet()
criterion = nn.CrossEntropyLoss()  # found: C105 C106
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

losses = []
for i in range(200):
    y_pred = model(X_train)
    loss = criterion(y_pred, y_train)
    losses.append(loss.item())
    if i % 20 == 0:
        print(f"epoch {i} loss {loss.item()}")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
