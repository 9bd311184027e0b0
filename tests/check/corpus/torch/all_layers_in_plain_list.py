import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.randn(200, 4)
y = (X[:, :1] - X[:, 1:2]).abs()


class Net(nn.Module):
    def __init__(self, n_layers):
        super().__init__()
        dims = [4] + [16] * n_layers + [1]
        self.layers = [nn.Linear(dims[i], dims[i + 1]) for i in range(len(dims) - 1)]  # wrong: C411
        #: self.layers = nn.ModuleList(
        #:     [nn.Linear(dims[i], dims[i + 1]) for i in range(len(dims) - 1)]
        #: )

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


model = Net(2)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)  # found: C411
for step in range(300):
    optimizer.zero_grad()
    loss = F.mse_loss(model(X), y)
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(step, loss.item())
