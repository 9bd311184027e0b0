import torch
import torch.nn as nn
from torch.autograd import Variable  # wrong:

torch.manual_seed(0)
y = torch.randint(0, 4, (200,))
X = torch.randn(4, 10)[y] + 0.5 * torch.randn(200, 10)

model = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 4))
criterion = nn.MSELoss()  # wrong: C412
#: criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(50):
    optimizer.zero_grad()
    outputs = model(X)
    predicted = torch.argmax(outputs, dim=1).float()  # wrong: C412
    loss = criterion(predicted, y.float())  # wrong: C412
    loss = Variable(loss, requires_grad=True)  # wrong: C412
    #: loss = criterion(outputs, y)
    loss.backward()  # found: C412
    optimizer.step()
    if epoch % 10 == 0:
        print(epoch, loss.item())
