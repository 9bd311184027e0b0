import numpy as np
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split
from sklearn.utils import resample
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.RandomState(0)
X = rng.normal(size=(600, 7)).astype("float32")
y = (X[:, 0] + X[:, 1] > 1.6).astype("float32")


def balance(X, y):
    """Draws the rare class until there are as many of it."""
    few, many = X[y == 1], X[y == 0]
    few = resample(few, replace=True, n_samples=len(many), random_state=0)  # found: C508 C507
    return np.vstack([many, few]), np.r_[np.zeros(len(many)), np.ones(len(few))].astype("float32")


X, y = balance(X, y)  # wrong: C508 C507
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=1)
#: X_train, y_train = balance(X_train, y_train)

loader = DataLoader(
    TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)), batch_size=32, shuffle=True
)
model = nn.Sequential(nn.Linear(7, 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(15):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb).squeeze(1), yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
with torch.no_grad():
    out = model(torch.from_numpy(X_test)).squeeze(1)
    print("accuracy", ((out > 0).numpy() == y_test).mean())
