import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(5)
X = torch.randn(600, 30)
y = ((X[:, :5].sum(1) + 0.5 * torch.randn(600)) > 0).float().unsqueeze(1)
dl = DataLoader(TensorDataset(X, y), batch_size=20, shuffle=True)


class Classifier(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.hidden = nn.Linear(n_in, 16)
        self.act = nn.ReLU()
        self.output = nn.Linear(16, 1)
        self.prob = nn.Softmax(dim=1)  # wrong: C105
        #: self.prob = nn.Sigmoid()

    def forward(self, x):
        x = self.act(self.hidden(x))
        x = self.output(x)
        return self.prob(x)


net = Classifier(30)
criterion = nn.BCELoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.005)

for epoch in range(20):
    net.train()
    train_loss, correct = 0.0, 0
    for data, target in dl:
        optimizer.zero_grad()
        out = net(data)
        loss = criterion(out, target)
        loss.backward()
        optimizer.step()
        train_loss += loss.item() * data.size(0)
        correct += ((out > 0.5).float() == target).sum().item()
    print("epoch", epoch, "loss", train_loss / len(X), "acc", correct / len(X))
