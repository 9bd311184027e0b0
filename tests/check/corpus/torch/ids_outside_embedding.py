import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
words = ["the", "cat", "dog", "sat", "ran", "good", "bad", "movie", "plot", "actor"]
word_to_ix = {word: i + 1 for i, word in enumerate(words)}  # 0 is padding
y = torch.randint(0, 2, (300,))
sentences = torch.randint(1, len(words) + 1, (300, 8))
sentences[:, 0] = 6 + y


class Tagger(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 16, padding_idx=0)  # found: C516
        self.gru = nn.GRU(16, 24, batch_first=True)
        self.linear = nn.Linear(24, 2)

    def forward(self, x):
        _, h = self.gru(self.embedding(x))  # found: C516
        return self.linear(h.squeeze(0))


model = Tagger(len(word_to_ix))  # wrong: C516
#: model = Tagger(len(word_to_ix) + 1)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for epoch in range(10):
    for sentence, label in DataLoader(TensorDataset(sentences, y), batch_size=30, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(sentence), label)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
