import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
target = torch.randint(0, 10, (700,))
data = torch.randn(10, 1, 20, 20)[target] + torch.randn(700, 1, 20, 20)
train_set, test_set = random_split(TensorDataset(data, target), [600, 100])
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
test_loader = DataLoader(test_set, batch_size=100)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 5)
        self.conv2 = nn.Conv2d(10, 20, 5)
        self.conv2_drop = nn.Dropout2d()
        self.fc1 = nn.Linear(20 * 2 * 2, 50)
        self.fc2 = nn.Linear(50, 10)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2_drop(self.conv2(x)), 2))
        x = x.view(-1, 80)
        x = F.relu(self.fc1(x))
        x = F.dropout(x, training=self.training)
        return F.log_softmax(self.fc2(x), dim=1)


model = Net()
optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)


def train(epoch):
    model.train()
    for batch, y in train_loader:
        optimizer.zero_grad()
        loss = F.nll_loss(model(batch), y)
        loss.backward()
        optimizer.step()


def test():
    model.eval()
    test_loss, correct = 0, 0
    with torch.no_grad():
        for batch, y in test_loader:
            output = model(batch)
            test_loss += F.nll_loss(output, y, reduction="sum").item()
            correct += output.argmax(1).eq(y).sum().item()
    print(test_loss / 100, correct)


for epoch in range(14):
    train(epoch)
    test()
    scheduler.step()
