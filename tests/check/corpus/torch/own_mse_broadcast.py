import torch
from torch import nn

torch.manual_seed(10)
true_w = torch.tensor([2.0, -3.4])
features = torch.randn(1000, 2)
labels = features @ true_w + 4.2 + 0.01 * torch.randn(1000)


def data_iter(batch_size, features, labels):
    order = torch.randperm(len(features))
    for i in range(0, len(features), batch_size):
        rows = order[i : i + batch_size]
        yield features[rows], labels[rows]


net = nn.Linear(2, 1)
trainer = torch.optim.SGD(net.parameters(), lr=0.03)

for epoch in range(5):
    for X, y in data_iter(10, features, labels):
        y_hat = net(X)
        loss = ((y_hat - y) ** 2 / 2).mean()  # wrong: C117
        #: loss = ((y_hat - y.reshape(y_hat.shape)) ** 2 / 2).mean()
        trainer.zero_grad()
        loss.backward()
        trainer.step()
    print(f"epoch {epoch + 1}, loss {float(loss):f}")
