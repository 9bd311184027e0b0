import torch
import torch.nn as nn
from sklearn.preprocessing import StandardScaler
import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(50, 10, size=(500, 6))
y = ((X[:, 0] - X[:, 1]) / 10 + 0.1 * rng.normal(size=500)).astype("float32")
X_train, X_test, y_train, y_test = X[:400], X[400:], y[:400], y[400:]

sc = StandardScaler()
X_train = sc.fit_transform(X_train)
X_test = sc.fit_transform(X_test)  # wrong: C512
#: X_test = sc.transform(X_test)

X_train = torch.from_numpy(X_train.astype(np.float32))
X_test = torch.from_numpy(X_test.astype(np.float32))
y_train = torch.from_numpy(y_train).view(-1, 1)
y_test = torch.from_numpy(y_test).view(-1, 1)

model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1))
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(100):
    y_predicted = model(X_train)
    loss = criterion(y_predicted, y_train)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    if (epoch + 1) % 20 == 0:
        print(f"epoch: {epoch + 1}, loss = {loss.item():.4f}")
with torch.no_grad():
    print("test", criterion(model(X_test), y_test).item())
