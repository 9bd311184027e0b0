import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
series = torch.sin(torch.arange(1000) * 0.1) + 0.05 * torch.randn(1000)
windows = series.unfold(0, 21, 1)
X, y = windows[:, :20].unsqueeze(-1), windows[:, 20:]
loader = DataLoader(TensorDataset(X, y), batch_size=64, shuffle=True)


class LSTM(nn.Module):
    def __init__(self, input_size=1, hidden_layer_size=32, output_size=1):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_layer_size, batch_first=True)  # found: C213 C117
        self.linear = nn.Linear(hidden_layer_size, output_size)

    def forward(self, input_seq):
        lstm_out, _ = self.lstm(input_seq)
        predictions = self.linear(lstm_out)  # wrong: C213 C117
        #: predictions = self.linear(lstm_out[:, -1])
        return predictions


model = LSTM()
loss_function = nn.L1Loss()  # found: C117
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for i in range(10):
    for seq, labels in loader:
        optimizer.zero_grad()
        y_pred = model(seq)
        single_loss = loss_function(y_pred, labels.unsqueeze(-1))  # wrong: C213 C117
        #: single_loss = loss_function(y_pred, labels)
        single_loss.backward()
        optimizer.step()
    print(f"epoch: {i:3} loss: {single_loss.item():10.8f}")
