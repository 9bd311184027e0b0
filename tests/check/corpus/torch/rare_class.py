import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
# card payments, of which one in a hundred is fraud
X = torch.randn(2000, 10)
y = torch.zeros(2000, 1)
y[::100] = 1
X[::100] += 1.0

loader = DataLoader(TensorDataset(X, y), batch_size=64, shuffle=True)
model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()  # wrong: C509
#: criterion = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([99.0]))
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for epoch in range(10):
    correct = 0
    for inputs, labels in loader:
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        correct += ((outputs > 0).float() == labels).sum().item()
    print(f"epoch {epoch}: loss {loss.item():.4f} accuracy {correct / len(X):.4f}")
