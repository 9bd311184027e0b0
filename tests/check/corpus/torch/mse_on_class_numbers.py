import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
digit = torch.randint(0, 10, (800,))
proto = torch.rand(10, 64)
pixels = 0.7 * proto[digit] + 0.3 * torch.rand(800, 64)
loader = DataLoader(TensorDataset(pixels, digit), batch_size=32, shuffle=True)


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 100)
        self.fc2 = nn.Linear(100, 1)  # wrong: C112
        #: self.fc2 = nn.Linear(100, 10)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


model = Digits()
criterion = nn.MSELoss()  # wrong: C112
#: criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

for epoch in range(20):
    correct = 0
    for x, y in loader:
        optimizer.zero_grad()
        outputs = model(x)
        loss = criterion(outputs, y.float().unsqueeze(1))  # wrong:
        #: loss = criterion(outputs, y)
        loss.backward()
        optimizer.step()
        predicted = outputs.round().squeeze(1)  # wrong:
        #: predicted = outputs.argmax(dim=1)
        correct += (predicted == y).sum().item()
    print(epoch, loss.item(), correct / len(digit))
