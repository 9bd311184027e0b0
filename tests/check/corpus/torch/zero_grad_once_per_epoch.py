import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(600, 8)
y = (X[:, :1] ** 2 - X[:, 1:2]) + 0.1 * torch.randn(600, 1)
train_dataloader = DataLoader(TensorDataset(X, y), batch_size=20, shuffle=True)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
loss_fn = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)


def train_loop(dataloader, model, loss_fn, optimizer):
    optimizer.zero_grad()  # wrong: C409 C604
    for batch, (X, y) in enumerate(dataloader):
        pred = model(X)
        loss = loss_fn(pred, y)
        #: optimizer.zero_grad()
        loss.backward()  # found: C409 C604
        optimizer.step()  # found: C409 C604
        if batch % 10 == 0:
            print(f"loss: {loss.item():>7f}")


for t in range(10):
    print(f"Epoch {t + 1}")
    train_loop(train_dataloader, model, loss_fn, optimizer)
