import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
t = torch.arange(0, 28).float()
y = torch.randint(0, 4, (400,))
x = torch.sin(t * 0.2 * (y.unsqueeze(1) + 1) + torch.rand(400, 1)).unsqueeze(2)
x = x + 0.1 * torch.randn(400, 28, 1)
train_loader = DataLoader(TensorDataset(x, y), batch_size=40, shuffle=True)


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, num_layers, num_classes):
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.lstm = nn.LSTM(input_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        h0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size).to(device)
        c0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size).to(device)
        out, _ = self.lstm(x, (h0, c0))
        return self.fc(out[:, -1, :])


model = RNN(1, 48, 2, 4).to(device)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(8):
    for i, (series, labels) in enumerate(train_loader):
        outputs = model(series.to(device))
        loss = criterion(outputs, labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("Epoch [{}/8], Loss: {:.4f}".format(epoch + 1, loss.item()))
