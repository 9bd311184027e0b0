import torch
import torch.nn as nn

torch.manual_seed(0)
labels = torch.randint(0, 4, (400,))
data = torch.randn(4, 12)[labels] + 0.7 * torch.randn(400, 12)
x_train, x_test, y_train, y_test = data[:300], data[300:], labels[:300], labels[300:]

model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 4))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(60):
    optimizer.zero_grad()
    loss = criterion(model(x_train), y_train)
    loss.backward()
    optimizer.step()
    if epoch % 20 == 0:
        print(epoch, loss.item())

model.eval()
with torch.no_grad():
    probabilities = torch.softmax(model(x_test), dim=1)
    predicted = torch.round(probabilities)  # wrong: C602
    #: predicted = probabilities.argmax(dim=1)
    one_hot = nn.functional.one_hot(y_test, 4)  # wrong:
    print("accuracy", (predicted == one_hot).float().mean().item())  # wrong:
    #: print("accuracy", (predicted == y_test).float().mean().item())
