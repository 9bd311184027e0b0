import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
label = torch.randint(0, 3, (480,))
phase = torch.rand(480, 1) * 6.28
t = torch.arange(40).unsqueeze(0)
wave = torch.sin(0.15 * (label.unsqueeze(1) + 1) * t + phase)
data = torch.stack([wave, wave.roll(1, 1)], dim=2) + 0.1 * torch.randn(480, 40, 2)
loader = DataLoader(TensorDataset(data, label), batch_size=32, shuffle=True, drop_last=True)


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, num_classes):
        super(RNN, self).__init__()
        self.lstm = nn.LSTM(input_size, hidden_size)  # wrong: C220
        #: self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        # x: (batch, steps, features)
        out, _ = self.lstm(x)
        return self.fc(out[:, -1, :])


model = RNN(2, 32, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for epoch in range(10):
    for sequences, labels in loader:
        outputs = model(sequences)
        loss = criterion(outputs, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("Epoch [{}/10], Loss: {:.4f}".format(epoch + 1, loss.item()))
