import random
from collections import deque

import torch
import torch.nn as nn

torch.manual_seed(0)
random.seed(0)
policy_net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 2))
target_net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 2))
target_net.load_state_dict(policy_net.state_dict())
target_net.eval()
optimizer = torch.optim.RMSprop(policy_net.parameters(), lr=1e-3)
memory = deque(maxlen=1000)
state = torch.randn(4)
for step in range(300):
    if random.random() < 0.2:
        action = random.randrange(2)
    else:
        with torch.no_grad():
            action = policy_net(state.unsqueeze(0)).max(1)[1].item()
    reward = float(state[0] > 0) if action == 1 else float(state[0] <= 0)
    next_state = torch.randn(4)
    memory.append((state, action, reward, next_state))
    state = next_state
    if len(memory) < 64:
        continue
    s, a, r, n = zip(*random.sample(memory, 32))
    s, n = torch.stack(s), torch.stack(n)
    a, r = torch.tensor(a).unsqueeze(1), torch.tensor(r)
    q = policy_net(s).gather(1, a)
    with torch.no_grad():
        expected = r + 0.9 * target_net(n).max(1)[0]
    loss = nn.functional.smooth_l1_loss(q, expected.unsqueeze(1))
    optimizer.zero_grad()
    loss.backward()
    for param in policy_net.parameters():
        param.grad.data.clamp_(-1, 1)
    optimizer.step()
    if step % 50 == 0:
        target_net.load_state_dict(policy_net.state_dict())
        print(step, loss.item())
