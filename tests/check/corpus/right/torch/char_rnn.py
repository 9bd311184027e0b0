import torch
import torch.nn as nn

torch.manual_seed(0)
text = "the quick brown fox jumps over the lazy dog. " * 40
chars = sorted(set(text))
char_to_ix = {c: i for i, c in enumerate(chars)}
encoded = torch.tensor([char_to_ix[c] for c in text])
seq_len, batch_size = 30, 16


def get_batch():
    start = torch.randint(0, len(encoded) - seq_len - 1, (batch_size,)).tolist()
    x = torch.stack([encoded[s : s + seq_len] for s in start])
    y = torch.stack([encoded[s + 1 : s + seq_len + 1] for s in start])
    return x, y


class CharRNN(nn.Module):
    def __init__(self, vocab, hidden=64):
        super().__init__()
        self.embed = nn.Embedding(vocab, 24)
        self.rnn = nn.GRU(24, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, vocab)

    def forward(self, x, h=None):
        out, h = self.rnn(self.embed(x), h)
        return self.fc(out), h


model = CharRNN(len(chars))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for step in range(150):
    x, y = get_batch()
    logits, _ = model(x)
    loss = criterion(logits.view(-1, len(chars)), y.view(-1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(step, loss.item())
