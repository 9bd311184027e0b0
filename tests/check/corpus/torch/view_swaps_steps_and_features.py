import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
gesture = torch.randint(0, 4, (400,))
# six sensors, 50 readings each: (batch, sensors, time)
waves = torch.sin(torch.arange(50) * 0.2 * (gesture.view(-1, 1, 1) + 1) + torch.rand(400, 6, 1))
signals = waves + 0.3 * torch.randn(400, 6, 50)
loader = DataLoader(TensorDataset(signals, gesture), batch_size=32, shuffle=True)


class GestureLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(input_size=6, hidden_size=48, batch_first=True)
        self.fc = nn.Linear(48, 4)

    def forward(self, x):
        x = x.view(x.size(0), 50, 6)  # wrong: C204
        #: x = x.permute(0, 2, 1)
        out, _ = self.lstm(x)
        return self.fc(out[:, -1, :])


model = GestureLSTM()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for epoch in range(20):
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
