import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
# a film has any number of the 6 genres
latent = torch.randn(800, 16)
genres = (latent @ torch.randn(16, 6) > 1.5).float()
loader = DataLoader(TensorDataset(latent, genres), batch_size=32, shuffle=True)


class Genres(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 6))
        self.final = nn.Softmax(dim=1)  # wrong: C118
        #: self.final = nn.Sigmoid()

    def forward(self, x):
        return self.final(self.body(x))


model = Genres()
criterion = nn.BCELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
for epoch in range(20):
    for x, target in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), target)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
