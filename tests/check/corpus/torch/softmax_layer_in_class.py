import torch
import torch.nn as nn
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)

# three kinds of flowers, four measurements each
centers = torch.tensor([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.0]])
y = torch.randint(0, 3, (150,))
X = centers[y] + 0.3 * torch.randn(150, 4)
X_train, y_train = X[:120], y[:120]
X_test, y_test = X[120:], y[120:]


class Model(nn.Module):
    def __init__(self, input_features=4, hidden_layer1=25, hidden_layer2=30, output_features=3):
        super().__init__()
        self.fc1 = nn.Linear(input_features, hidden_layer1)
        self.fc2 = nn.Linear(hidden_layer1, hidden_layer2)
        self.out = nn.Linear(hidden_layer2, output_features)
        self.relu = nn.ReLU()
        self.softmax = nn.Softmax(dim=1)  # wrong: C101

    def forward(self, x):
        x = self.relu(self.fc1(x))
        x = self.relu(self.fc2(x))
        x = self.out(x)
        return self.softmax(x)  # wrong: C101
        #: return x


model = Model()
criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=0.01)

train_loader = DataLoader(TensorDataset(X_train, y_train), batch_size=16, shuffle=True)

for epoch in range(50):
    running_loss = 0.0
    for inputs, labels in train_loader:
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    if epoch % 10 == 0:
        print(f"epoch: {epoch} loss: {running_loss / len(train_loader)}")

model.eval()
with torch.no_grad():
    predicted = torch.max(model(X_test).data, 1)[1]
    print("accuracy", (predicted == y_test).float().mean().item())
