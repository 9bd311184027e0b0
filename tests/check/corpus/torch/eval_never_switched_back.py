import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
y = torch.randint(0, 6, (900,))
X = torch.randn(6, 30)[y] + 1.2 * torch.randn(900, 30)
train_set, val_set = random_split(TensorDataset(X, y), [700, 200])
train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
val_loader = DataLoader(val_set, batch_size=50)

model = nn.Sequential(
    nn.Linear(30, 80, bias=False),
    nn.BatchNorm1d(80),
    nn.ReLU(),
    nn.Dropout(0.3),
    nn.Linear(80, 6),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

model.train()  # wrong: C410 C603
for epoch in range(15):
    #: model.train()
    for inputs, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()

    model.eval()  # found: C410 C603
    correct, total = 0, 0
    with torch.no_grad():
        for inputs, labels in val_loader:
            _, predicted = torch.max(model(inputs), 1)
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
    print(f"epoch {epoch}: train loss {loss.item():.4f}, val acc {correct / total:.3f}")
