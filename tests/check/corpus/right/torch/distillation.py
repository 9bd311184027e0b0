import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.randint(0, 5, (500,))
X = torch.randn(5, 20)[y] + torch.randn(500, 20)
loader = DataLoader(TensorDataset(X, y), batch_size=25, shuffle=True)
teacher = nn.Sequential(nn.Linear(20, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 5))
student = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 5))
teacher.eval()
optimizer = torch.optim.Adam(student.parameters(), lr=3e-3)
T, alpha = 4.0, 0.3
for epoch in range(15):
    student.train()
    for data, target in loader:
        with torch.no_grad():
            teacher_logits = teacher(data)
        logits = student(data)
        soft = F.kl_div(
            F.log_softmax(logits / T, dim=1),
            F.softmax(teacher_logits / T, dim=1),
            reduction="batchmean",
        )
        loss = alpha * T * T * soft + (1 - alpha) * F.cross_entropy(logits, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
