"""The parts of NumPy programs that are not layers, as source: the network and what uses it."""

# ruff: noqa: E501 (lines of programs, and behind them what they are for)

NETWORK = '''
class Network:
    """Layers by name; `parameters` are their weights, to be changed in place."""

    # layers that are applied again, by their other names  #? shared
    shared = <SHARED>  #? shared
    # layers that are not trained  #? frozen
    frozen = <FROZEN>  #? frozen
#? shared|frozen
    def __init__(self, weights):
        self.layers = {  #? chain
        # each layer, and what it takes: inputs, or what other layers give  #? graph
        self.graph = {  #? graph
<LAYERS>
        }
        self.layers = {name: layer for name, (layer, *_) in self.graph.items()}  #? graph
        self.parameters = weights  #? !constants
        self.parameters = {k: w for k, w in weights.items() if "constant" not in k}  #? constants
        self.dtype = next(iter(weights.values())).dtype  #? weights
        self.dtype = np.dtype(np.float32)  #? !weights
        for name, layer in self.layers.items():  #? shared
            start = self.shared.get(name, name) + "."  #? shared
            for key, weight in self.parameters.items():  #? shared
                if key.startswith(start):  #? shared
                    setattr(layer, key.removeprefix(start), weight)  #? shared
        for key, weight in self.parameters.items():  #? !shared
            name, attribute = key.split(".")  #? !shared
            setattr(self.layers[name], attribute, weight)  #? !shared

    def forward(self, x, training=False):  #? chain
        self.values = {}  #? chain
        x = x.astype(self.dtype)  #? chain cast
        for name, layer in self.layers.items():  #? chain
            x = self.values[name] = layer.forward(x, training)  #? chain
        return x  #? chain
    def forward(self, <INPUTS>, training=False):  #? graph
        values = self.values = dict(zip(<INPUT_NAMES>, (<INPUTS>)))  #? graph inputs
        values = self.values = {"<INPUTS>": <INPUTS>}  #? graph !inputs
        for name in <CAST_NAMES>:  #? graph cast
            values[name] = values[name].astype(self.dtype)  #? graph cast
        for name, (layer, *sources) in self.graph.items():  #? graph
            inputs = (values[source] for source in sources)  #? graph !mixed
            inputs = (values[s] if isinstance(s, str) else s for s in sources)  #? graph mixed
            values[name] = layer.forward(*inputs, training=training)  #? graph
        return values[<OUTPUT>]  #? graph !outputs
        return tuple(values[name] for name in <NAMES_OUT>)  #? graph outputs

    def backward(self, dy):
        """The gradients of the parameters for that of the outputs."""
        gradients = {}
        for name, layer in reversed(self.layers.items()):  #? chain
            dy = layer.backward(dy)  #? chain
        known = {<OUTPUT>: dy}  #? graph !outputs
        known = dict(zip(<NAMES_OUT>, dy))  #? graph outputs
        for name, (layer, *sources) in reversed(self.graph.items()):  #? graph
            if name not in known:  #? graph
                continue  #? graph
            found = layer.backward(known[name])  #? graph
            for source, dx in zip(sources, found if len(sources) > 1 else [found]):  #? graph !mixed
                if dx is not None:  #? graph !mixed
                    known[source] = known[source] + dx if source in known else dx  #? graph !mixed
            for source, dx in zip(sources, found if len(sources) > 1 else [found]):  #? graph mixed
                if dx is not None and isinstance(source, str):  #? graph mixed
                    known[source] = known[source] + dx if source in known else dx  #? graph mixed
            if name in self.frozen:  #? frozen
                continue  #? frozen
            for weight, gradient in getattr(layer, "gradients", {}).items():
                gradients[f"{name}.{weight}"] = gradient  #? !shared
                key = f"{self.shared.get(name, name)}.{weight}"  #? shared
                gradients[key] = gradients.get(key, 0) + gradient  #? shared
        return gradients
'''

GRADIENTS_OF_LOSS = '''
def gradients_of_loss(network, x, y):
    """The loss of a batch in training, the outputs, the gradients of the parameters."""
    outputs = network.forward(*x, training=True)  #? inputs
    outputs = network.forward(x, training=True)  #? !inputs
    value, gradient = loss(outputs, y)
    gradients = network.backward(gradient)  #? penalty
    more, of_penalty = penalty(network.parameters)  #? penalty
    for key, gradient in of_penalty.items():  #? penalty
        gradients[key] = gradients.get(key, 0) + gradient  #? penalty
    return value + more, outputs, gradients  #? penalty
    return value, outputs, network.backward(gradient)  #? !penalty
'''

TRAIN = '''
def train(network, x, y, epochs=EPOCHS, batch_size=BATCH_SIZE, seed=0):
    """Trains on all samples, in another order in each epoch."""
    optimizer, order = OPTIMIZER(network.parameters), np.random.default_rng(seed)
    n = len(x[0])  #? inputs
    n = len(x)  #? !inputs
    for epoch in range(epochs):
        losses, right = 0.0, 0.0  #? accuracy
        losses = 0.0  #? !accuracy
        for batch in np.split(order.permutation(n), range(batch_size, n, batch_size)):
            some_x, some_y = [part[batch] for part in x], y[batch]  #? inputs !outputs
            some_x, some_y = x[batch], [part[batch] for part in y]  #? !inputs outputs
            some_x, some_y = ([a[batch] for a in part] for part in (x, y))  #? inputs outputs
            value, outputs, gradients = gradients_of_loss(network, some_x, some_y)  #? inputs|outputs
            value, outputs, gradients = gradients_of_loss(network, x[batch], y[batch])  #? !inputs !outputs
            optimizer.step(gradients)
            losses += value * len(batch)
            right += accuracy(outputs, some_y) * len(batch)  #? accuracy inputs|outputs
            right += accuracy(outputs, y[batch]) * len(batch)  #? accuracy !inputs !outputs
        print(f"epoch {epoch + 1}: loss {losses / n:.4f}, accuracy {right / n:.4f}")  #? accuracy
        print(f"epoch {epoch + 1}: loss {losses / n:.4f}")  #? !accuracy
'''

PREDICT = '''
def logits(network, x, batch_size=256):  #? head
    """The outputs before the softmax, a batch at a time."""  #? softmax
    """The outputs before the sigmoid, a batch at a time."""  #? sigmoid
def predict(network, x, batch_size=256):  #? !head
    """The outputs, a batch at a time."""  #? !head
    starts = range(0, len(x), batch_size)  #? !inputs
    starts = range(0, len(x[0]), batch_size)  #? inputs
    parts = [network.forward(x[i : i + batch_size]) for i in starts]  #? !inputs
    parts = [network.forward(*(a[i : i + batch_size] for a in x)) for i in starts]  #? inputs
    return np.concatenate(parts)  #? !outputs
    return tuple(np.concatenate(part) for part in zip(*parts))  #? outputs


def predict(network, x, batch_size=256):  #? head
    """The probability of each class."""  #? softmax
    """The probability of each output to be 1."""  #? sigmoid
    return softmax(logits(network, x, batch_size))  #? softmax
    return sigmoid(logits(network, x, batch_size))  #? sigmoid
'''

EVALUATE = '''
def evaluate(network, x, y):
    """The loss and the accuracy."""  #? accuracy
    """The loss."""  #? !accuracy
    outputs = logits(network, x)  #? head
    outputs = predict(network, x)  #? !head
    value = loss(outputs, y)[0] + penalty(network.parameters)[0]  #? penalty
    value = loss(outputs, y)[0]  #? !penalty !accuracy
    return value, accuracy(outputs, y)  #? accuracy penalty
    return loss(outputs, y)[0], accuracy(outputs, y)  #? accuracy !penalty
    return value  #? !accuracy
'''

LOAD = '''
def load(path=Path(__file__).with_name("WEIGHTS")):
    """The network with its weights from a file."""
    with np.load(path) as weights:
        return Network(dict(weights))
'''

MAIN = """
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="an .npz file with x and y")  #? loss !inputs !outputs
    parser.add_argument("data", help="an .npz file with KEYS")  #? loss inputs|outputs
    parser.add_argument("data", help="an .npz file with KEYS")  #? !loss inputs
    parser.add_argument("data", help="an .npz file with x")  #? !loss !inputs
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="0: do not train")  #? optimizer
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)  #? optimizer
    parser.add_argument("--save", help="where to put the trained weights")  #? optimizer
    arguments = parser.parse_args()
    network, data = load(), np.load(arguments.data)
    x, y = data["x"], data["y"]  #? loss !inputs !outputs
    x = [data[name] for name in INPUTS]  #? inputs
    x = data["x"]  #? !inputs outputs
    x = data["x"]  #? !inputs !outputs !loss
    y = [data[name] for name in OUTPUTS]  #? loss outputs
    y = data["y"]  #? loss inputs !outputs
    train(network, x, y, arguments.epochs, arguments.batch_size)  #? optimizer
    print("loss {:.4f}, accuracy {:.4f}".format(*evaluate(network, x, y)))  #? accuracy
    print(f"loss {evaluate(network, x, y):.4f}")  #? loss !accuracy
    print(predict(network, x))  #? !loss
    if arguments.save:  #? optimizer
        np.savez(arguments.save, **network.parameters)  #? optimizer
"""
