import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

STARS = 5


class Reviews(Dataset):
    def __init__(self, size=400):
        g = torch.Generator().manual_seed(1)
        self.rating = torch.randint(1, STARS + 1, (size,), generator=g)
        tone = self.rating.unsqueeze(1) * 60
        self.words = (tone + torch.randint(0, 60, (size, 20), generator=g)).clamp(1, 399)

    def __len__(self):
        return len(self.rating)

    def __getitem__(self, i):
        return self.words[i], self.rating[i]  # wrong: C108
        #: return self.words[i], self.rating[i] - 1


class ReviewNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(400, 32)
        self.lstm = nn.LSTM(32, 32, batch_first=True)
        self.fc = nn.Linear(32, STARS)  # found: C108

    def forward(self, x):
        out, (h, c) = self.lstm(self.emb(x))
        return self.fc(h[-1])


model = ReviewNet()
criterion = nn.CrossEntropyLoss()  # found: C108
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
for epoch in range(10):
    total = 0.0
    for text, stars in DataLoader(Reviews(), batch_size=32, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(text), stars)  # found: C108
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(epoch, total)
