import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)


class Backbone(nn.Module):
    def __init__(self, num_classes=20):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
        )
        self.fc = nn.Linear(16, num_classes)

    def forward(self, x):
        return self.fc(torch.flatten(self.layers(x), 1))


pretrained = Backbone().state_dict()
model = Backbone()
model.load_state_dict(pretrained)
for param in model.parameters():
    param.requires_grad = False
model.fc = nn.Linear(16, 2)

y = torch.randint(0, 2, (120,))
x = torch.randn(120, 3, 32, 32) * (0.5 + y.view(-1, 1, 1, 1))
loader = DataLoader(TensorDataset(x, y), batch_size=12, shuffle=True)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.fc.parameters(), lr=0.01, momentum=0.9)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
for epoch in range(15):
    model.train()
    for inputs, labels in loader:
        optimizer.zero_grad()
        with torch.set_grad_enabled(True):
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()
    scheduler.step()
    print(epoch, loss.item())
