import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
VOCAB, EMB, CLASSES = 200, 16, 4

# documents of 12 words; each topic prefers words of its own
topic = torch.randint(0, CLASSES, (600,))
words = torch.randint(0, VOCAB, (600, 12))
own = torch.randint(0, 50, (600, 12)) + 50 * topic.unsqueeze(1)
words = torch.where(torch.rand(600, 12) < 0.5, own, words)


class TextClassifier(nn.Module):
    def __init__(self, vocab_size, embedding_dim, num_classes):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.linear1 = nn.Linear(embedding_dim, 32)
        self.linear2 = nn.Linear(32, num_classes)

    def forward(self, inputs):
        embeds = self.embedding(inputs).mean(dim=1)
        out = F.relu(self.linear1(embeds))
        out = self.linear2(out)
        probs = F.softmax(out, dim=1)  # wrong: C103
        #: probs = F.log_softmax(out, dim=1)
        return probs


model = TextClassifier(VOCAB, EMB, CLASSES)
loss_function = nn.NLLLoss()  # found: C103
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for epoch in range(20):
    total_loss = 0
    for i in range(0, len(words), 50):
        context, target = words[i : i + 50], topic[i : i + 50]
        model.zero_grad()
        log_probs = model(context)
        loss = loss_function(log_probs, target)
        loss.backward()
        optimizer.step()
        total_loss += loss.item()
    print(epoch, total_loss)
