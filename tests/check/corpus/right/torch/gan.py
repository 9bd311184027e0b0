import torch
import torch.nn as nn

torch.manual_seed(0)
latent, batch = 8, 64
G = nn.Sequential(nn.Linear(latent, 32), nn.LeakyReLU(0.2), nn.Linear(32, 2))
D = nn.Sequential(
    nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(32, 1), nn.Sigmoid()
)
criterion = nn.BCELoss()
d_optimizer = torch.optim.Adam(D.parameters(), lr=0.0002, betas=(0.5, 0.999))
g_optimizer = torch.optim.Adam(G.parameters(), lr=0.0002, betas=(0.5, 0.999))
angle = torch.rand(1000) * 6.28
points = torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(1000, 2)
real_labels, fake_labels = torch.ones(batch, 1), torch.zeros(batch, 1)

for step in range(300):
    real = points[torch.randint(0, 1000, (batch,))]
    d_loss_real = criterion(D(real), real_labels)
    fake = G(torch.randn(batch, latent))
    d_loss_fake = criterion(D(fake.detach()), fake_labels)
    d_loss = d_loss_real + d_loss_fake
    d_optimizer.zero_grad()
    d_loss.backward()
    d_optimizer.step()

    g_loss = criterion(D(fake), real_labels)
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()
    if step % 100 == 0:
        print(f"step {step}: d {d_loss.item():.3f} g {g_loss.item():.3f}")
