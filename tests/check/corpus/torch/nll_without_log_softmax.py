import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(7)
labels = torch.randint(0, 10, (1000,))
prototypes = torch.rand(10, 784)
images = (0.6 * prototypes[labels] + 0.4 * torch.rand(1000, 784) - 0.5) / 0.5
trainloader = DataLoader(TensorDataset(images.view(-1, 1, 28, 28), labels), 64, shuffle=True)

input_size = 784
hidden_sizes = [128, 64]
output_size = 10

model = nn.Sequential(
    nn.Linear(input_size, hidden_sizes[0]),
    nn.ReLU(),
    nn.Linear(hidden_sizes[0], hidden_sizes[1]),
    nn.ReLU(),
    nn.Linear(hidden_sizes[1], output_size),  # wrong: C103
    #: nn.Linear(hidden_sizes[1], output_size),
    #: nn.LogSoftmax(dim=1),
)

criterion = nn.NLLLoss()  # found: C103
optimizer = optim.SGD(model.parameters(), lr=0.003, momentum=0.9)
epochs = 15
for e in range(epochs):
    running_loss = 0
    for images, labels in trainloader:
        # flatten the images into a 784 long vector
        images = images.view(images.shape[0], -1)
        optimizer.zero_grad()
        output = model(images)
        loss = criterion(output, labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    else:
        print("Epoch {} - Training loss: {}".format(e, running_loss / len(trainloader)))
