import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
prototypes = (torch.rand(10, 784) > 0.8).float()
images = (0.9 * prototypes[torch.randint(0, 10, (600,))] + 0.1 * torch.rand(600, 784)).clamp(0, 1)
dataloader = DataLoader(TensorDataset(images), batch_size=64, shuffle=True)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 3)
        )
        self.decoder = nn.Sequential(
            nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid()
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


model = Autoencoder()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-5)
for epoch in range(20):
    for (img,) in dataloader:
        output = model(img)
        loss = criterion(output, img)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("epoch [{}/20], loss:{:.4f}".format(epoch + 1, loss.item()))
