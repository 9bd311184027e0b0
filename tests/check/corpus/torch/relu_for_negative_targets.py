import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
x = torch.unsqueeze(torch.linspace(-3, 3, 200), dim=1)
y = torch.sin(x) + 0.1 * torch.randn(x.size())


class Net(torch.nn.Module):
    def __init__(self, n_feature, n_hidden, n_output):
        super(Net, self).__init__()
        self.hidden = torch.nn.Linear(n_feature, n_hidden)
        self.predict = torch.nn.Linear(n_hidden, n_output)

    def forward(self, x):
        x = F.relu(self.hidden(x))
        x = F.relu(self.predict(x))  # wrong: C115
        #: x = self.predict(x)
        return x


net = Net(n_feature=1, n_hidden=20, n_output=1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
loss_func = torch.nn.MSELoss()

for t in range(300):
    prediction = net(x)
    loss = loss_func(prediction, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if t % 50 == 0:
        print("Loss=%.4f" % loss.item())
