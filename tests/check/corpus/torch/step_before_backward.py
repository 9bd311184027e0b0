import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.randn(400, 6)
y = (X[:, :1] > X[:, 1:2]).float()


def train(model, optimizer, epochs=20, batch_size=40):
    for epoch in range(epochs):
        for i in range(0, len(X), batch_size):
            optimizer.zero_grad()
            out = model(X[i : i + batch_size])
            loss = F.binary_cross_entropy_with_logits(out, y[i : i + batch_size])
            optimizer.step()  # wrong: C604 C414 C413
            loss.backward()  # wrong: C604 C414 C413
            #: loss.backward()
            #: optimizer.step()
        print(epoch, loss.item())


model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 1))
train(model, torch.optim.Adam(model.parameters(), lr=0.01))
