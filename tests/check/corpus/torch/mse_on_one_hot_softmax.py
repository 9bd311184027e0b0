import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(4)
N, D_in, H, D_out = 256, 15, 40, 4
cls = torch.randint(0, D_out, (N,))
x = torch.randn(D_out, D_in)[cls] + 0.7 * torch.randn(N, D_in)
y = F.one_hot(cls, D_out).float()

model = nn.Sequential(
    nn.Linear(D_in, H),
    nn.ReLU(),
    nn.Linear(H, D_out),
    nn.Softmax(dim=1),  # wrong:
)
loss_fn = nn.MSELoss()  # wrong: C112
#: loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

for t in range(150):
    y_pred = model(x)
    loss = loss_fn(y_pred, y)
    if t % 50 == 0:
        print(t, loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
