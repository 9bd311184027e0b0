import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, n_in, n_classes):
        super().__init__()
        self.fc1 = nn.Linear(n_in, 40)
        self.fc2 = nn.Linear(40, n_classes)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


class Trainer:
    def __init__(self, model, optimizer, loss_fn, device):
        self.model = model.to(device)
        self.optimizer = optimizer
        self.loss_fn = loss_fn
        self.device = device

    def train_step(self, x, y):
        x, y = x.to(self.device), y.to(self.device)
        #: self.optimizer.zero_grad()
        loss = self.loss_fn(self.model(x), y)
        loss.backward()  # found: C409 C604
        self.optimizer.step()  # found: C409 C604
        return loss.item()

    def fit(self, loader, epochs):
        for epoch in range(epochs):
            self.model.train()
            losses = [self.train_step(x, y) for x, y in loader]
            print(f"epoch {epoch}: {sum(losses) / len(losses):.4f}")


torch.manual_seed(0)
y = torch.randint(0, 3, (450,))
X = torch.randn(3, 10)[y] + torch.randn(450, 10)
model = Net(10, 3)
trainer = Trainer(
    model,
    torch.optim.Adam(model.parameters(), lr=1e-3),
    nn.CrossEntropyLoss(),
    torch.device("cuda" if torch.cuda.is_available() else "cpu"),
)
trainer.fit(DataLoader(TensorDataset(X, y), batch_size=30, shuffle=True), 10)
