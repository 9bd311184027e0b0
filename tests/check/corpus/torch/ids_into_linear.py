import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
VOCAB, LENGTH = 5000, 20
y = torch.randint(0, 2, (500,))
tokens = torch.randint(1, VOCAB, (500, LENGTH))
mood = torch.randint(1, 60, (500, LENGTH)) + 60 * y.unsqueeze(1)
tokens = torch.where(torch.rand(500, LENGTH) < 0.3, mood, tokens)
lengths = torch.randint(8, LENGTH + 1, (500, 1))
tokens[torch.arange(LENGTH) >= lengths] = 0  # padding


class Sentiment(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(LENGTH, 64)  # wrong: C510 C501
        #: self.embedding = nn.EmbeddingBag(VOCAB, 64)
        self.fc2 = nn.Linear(64, 2)

    def forward(self, text):
        x = torch.relu(self.fc1(text.float()))  # wrong: C510 C501
        #: x = self.embedding(text)
        return self.fc2(x)


model = Sentiment()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(10):
    for text, label in DataLoader(TensorDataset(tokens, y), batch_size=25, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(text), label)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
