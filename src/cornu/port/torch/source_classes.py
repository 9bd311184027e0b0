"""Classes and functions that a PyTorch program brings for what `torch.optim` has otherwise.

Lines that end in `#? word` stand only where the word is wanted, see `source_text.chosen`.
"""

DECAYING = '''
class Keras<kind>(torch.optim.<kind>):
    """<kind> with Keras' weight_decay, which shrinks the weights and not the gradients."""

    def __init__(self, params, decay, **settings):
        super().__init__(params, **settings)
        self.decay = decay

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.mul_(1 - group["lr"] * self.decay)
        return super().step(closure)
'''

ADAM = '''
class Keras<kind>(torch.optim.<kind>):
    """<kind> with Keras' epsilon, which is added before the second moment is corrected.

    PyTorch adds it afterwards, so it is divided by what the correction divides by.
    """

    def step(self, closure=None):
        for group in self.param_groups:
            epsilon = group.setdefault("epsilon", group["eps"])
            group["steps"] = group.get("steps", 0) + 1
            group["eps"] = epsilon / (1 - group["betas"][1] ** group["steps"]) ** 0.5
        return super().step(closure)
'''

LOOP = """
    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state, gradient = self.state[weight], weight.grad
""".strip("\n")

SHRINK = """
                gradient = gradient + self.l2 * weight  #? l2
                weight.mul_(1 - group["lr"] * self.decay)  #? decay
""".strip("\n")

HEAD = """
        self.decay = decay  #? decay
        self.l2 = l2  #? l2
""".strip("\n")

ADAMAX = f'''
class KerasAdamax(torch.optim.Optimizer):
    """Adamax with Keras' epsilon, which is added to the norm and not to the gradient."""

    def __init__(<arguments>):
        super().__init__(params, {{"lr": lr}})
        self.betas, self.eps, self.steps = betas, eps, 0
{HEAD}

    @torch.no_grad()
    def step(self, closure=None):
        self.steps += 1
        beta1, beta2 = self.betas
        for group in self.param_groups:
            rate = group["lr"] / (1 - beta1**self.steps)
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state, gradient = self.state[weight], weight.grad
{SHRINK}
                if not state:
                    state["mean"] = torch.zeros_like(weight)
                    state["norm"] = torch.zeros_like(weight)
                state["mean"].lerp_(gradient, 1 - beta1)
                state["norm"] = torch.maximum(beta2 * state["norm"], gradient.abs())
                weight -= rate * state["mean"] / (state["norm"] + self.eps)
'''

RMSPROP = f'''
class KerasRMSprop(torch.optim.Optimizer):
    """RMSprop with Keras' epsilon, which stands under the root and not beside it."""

    def __init__(<arguments>):
        super().__init__(params, {{"lr": lr}})
        self.rho, self.eps = rho, eps
        self.momentum = momentum  #? momentum
{HEAD}

{LOOP}
{SHRINK}
                if not state:
                    state["square"] = torch.zeros_like(weight)
                    state["mean"] = torch.zeros_like(weight)  #? centered
                    state["velocity"] = torch.zeros_like(weight)  #? momentum
                square = state["square"].lerp_(gradient.square(), 1 - self.rho)
                mean = state["mean"].lerp_(gradient, 1 - self.rho)  #? centered
                square = square - mean.square()  #? centered
                step = group["lr"] * gradient / (square + self.eps).sqrt()
                step = state["velocity"].mul_(self.momentum).add_(step)  #? momentum
                weight -= step
'''

SGD = f'''
class KerasSGD(torch.optim.Optimizer):
    """SGD with Keras' momentum: each gradient keeps the learning rate of its step."""

    def __init__(<arguments>):
        super().__init__(params, {{"lr": lr}})
        self.momentum = momentum
{HEAD}

{LOOP}
{SHRINK}
                if not state:
                    state["velocity"] = torch.zeros_like(weight)
                step = group["lr"] * gradient
                velocity = state["velocity"].mul_(self.momentum).sub_(step)
                weight += velocity  #? !nesterov
                weight += self.momentum * velocity - step  #? nesterov
'''

LION = f'''
class KerasLion(torch.optim.Optimizer):
    """Lion, which PyTorch lacks: steps of equal size along the sign of a momentum."""

    def __init__(<arguments>):
        super().__init__(params, {{"lr": lr}})
        self.betas = betas
{HEAD}

{LOOP}
{SHRINK}
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum, (beta1, beta2) = state["momentum"], self.betas
                weight -= group["lr"] * momentum.lerp(gradient, 1 - beta1).sign()
                momentum.lerp_(gradient, 1 - beta2)
'''

CLIP_EACH = '''
def clip_gradients(model):
    """Keras' clipnorm, weight by weight; clip_grad_norm_ adds 1e-6 to the norm."""
    for weight in model.parameters():
        if weight.grad is not None:
            weight.grad.mul_(<limit> / weight.grad.norm().clamp(min=<limit>))
'''

CLIP_ALL = '''
def clip_gradients(model):
    """Keras' global_clipnorm; clip_grad_norm_ adds 1e-6 to the norm."""
    gradients = [one.grad for one in model.parameters() if one.grad is not None]
    norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
    for gradient in gradients:
        gradient.mul_(<limit> / norm.clamp(min=<limit>))
'''

CLIP_VALUES = """
def clip_gradients(model):
    nn.utils.clip_grad_value_(model.parameters(), <limit>)
"""
