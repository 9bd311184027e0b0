import torch

torch.manual_seed(0)
N, D_in, H, D_out = 64, 100, 80, 10
x = torch.randn(N, D_in)
y = torch.sin(x[:, :D_out])

w1 = torch.randn(D_in, H, requires_grad=True)  # wrong: C303 C304
#: w1 = (torch.randn(D_in, H) / D_in**0.5).requires_grad_()
w2 = torch.randn(H, D_out, requires_grad=True)  # wrong: C303 C304
#: w2 = (torch.randn(H, D_out) / H**0.5).requires_grad_()

optimizer = torch.optim.Adam([w1, w2], lr=1e-2)
for t in range(200):
    y_pred = x.mm(w1).clamp(min=0).mm(w2)  # found: C303 C304
    loss = (y_pred - y).pow(2).mean()
    if t % 50 == 0:
        print(t, loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
