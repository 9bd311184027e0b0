import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
vocab, d_model, length = 40, 32, 16
sequence = (torch.arange(2000) * 7 + (torch.arange(2000) // 5)) % vocab


class TinyLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(vocab, d_model)
        self.pos = nn.Parameter(torch.zeros(1, length, d_model))
        layer = nn.TransformerEncoderLayer(d_model, 4, 64, dropout=0.1, batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(d_model, vocab, bias=False)
        nn.init.normal_(self.tok.weight, std=1 / math.sqrt(d_model))
        self.head.weight = self.tok.weight

    def forward(self, x):
        mask = torch.triu(torch.full((x.size(1), x.size(1)), float("-inf")), diagonal=1)
        return self.head(self.blocks(self.tok(x) + self.pos, mask=mask))


model = TinyLM()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
for step in range(150):
    starts = torch.randint(0, 1900, (24,)).tolist()
    x = torch.stack([sequence[s : s + length] for s in starts])
    y = torch.stack([sequence[s + 1 : s + length + 1] for s in starts])
    logits = model(x)
    loss = F.cross_entropy(logits.transpose(1, 2), y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(step, loss.item())
