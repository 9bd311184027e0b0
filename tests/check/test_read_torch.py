"""Reading PyTorch programs: small ones, written as people write them."""

import textwrap

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from cornu.check.read_torch import read_torch_program  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")

IMPORTS = """
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset
"""


@pytest.fixture
def read(tmp_path):
    """Reads a program given as text; the text begins at line 6."""

    def run(text, *arguments):
        path = tmp_path / "program.py"
        path.write_text(IMPORTS + textwrap.dedent(text).lstrip("\n"))
        reading = read_torch_program(path, arguments)
        reading.line = lambda part: (
            1
            + next(
                number for number, line in enumerate(path.read_text().splitlines()) if part in line
            )
        )
        return reading

    return run


def kinds(facts):
    return [operation.function or operation.kind for operation in facts.operations]


SEQUENTIAL = """
    X, y = torch.randn(100, 20), torch.randint(0, 3, (100,))
    loader = DataLoader(TensorDataset(X, y), batch_size=32, shuffle=True, num_workers=2)
    model = nn.Sequential(
        nn.Linear(20, 16),
        nn.BatchNorm1d(16),
        nn.ReLU(inplace=True),
        nn.Dropout(0.2),
        nn.Linear(16, 3),
        nn.Softmax(dim=1),
    )
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, betas=(0.8, 0.99))
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 5, gamma=0.1)
    for epoch in range(7):
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            print("loss", loss.item())
        scheduler.step()
    raise SystemExit("not reached")
"""


def test_sequential_with_loader(read):
    reading = read(SEQUENTIAL)
    assert reading.reached_training
    assert reading.error is None
    assert reading.output.startswith("loss")
    (facts,) = reading.facts
    assert kinds(facts) == [
        *("Input", "Dense", "BatchNormalization", "relu", "Dropout", "Dense", "softmax"),
    ]
    dense, norm, dropout = facts.operations[1], facts.operations[2], facts.operations[4]
    assert dense.settings == {"units": 16, "use_bias": True}
    assert dense.shape == (None, 16)
    assert dense.place.line == reading.line("nn.Linear(20")
    assert dense.parameter("kernel").read().shape == (16, 20)
    assert dense.parameter("kernel").fan == (20, 16)
    assert norm.settings["momentum"] == pytest.approx(0.9)
    assert {p.role for p in norm.parameters} == {
        *("scale", "offset", "moving mean", "moving variance"),
    }
    assert dropout.settings["rate"] == 0.2
    assert facts.operations[-1].settings["axis"] == 1
    assert facts.parameters == 20 * 16 + 16 + 32 + 16 * 3 + 3
    (output,) = facts.outputs
    assert (output.activation, output.loss.kind) == ("softmax", "sparse_categorical_crossentropy")
    assert (output.loss.expects, output.loss.labels, output.loss.class_axis) == (
        *("logits", "classes", 1),
    )
    assert output.loss.place.line == reading.line("criterion =")
    assert output.labels.complete
    assert (output.labels.rows, output.classes) == (100, 3)
    assert facts.inputs[0].array.shape == (100, 20)


def test_training_and_optimizer(read):
    reading = read(SEQUENTIAL)
    (facts,) = reading.facts
    training, optimizer = facts.training, facts.optimizer
    assert (training.rows, training.batch_size, training.epochs, training.steps) == (100, 32, 7, 4)
    assert (training.shuffle, training.training_mode) == (True, True)
    assert (training.gradients_cleared, training.gradients_at_step, training.steps_taken) == (
        *(True, True, True),
    )
    assert training.place.line == reading.line("loss.backward()")
    assert (optimizer.kind, optimizer.written) == ("adam", "torch.optim.Adam")
    assert optimizer.settings["learning_rate"] == pytest.approx(1e-2)
    assert optimizer.settings["beta_1"] == pytest.approx(0.8)
    assert optimizer.given == {"learning_rate", "beta_1", "beta_2"}
    assert (optimizer.foreign, optimizer.missing) == (0, [])
    assert optimizer.schedule(0) == pytest.approx(1e-2)
    assert optimizer.schedule(4 * 5) == pytest.approx(1e-3)
    assert optimizer.place.line == reading.line("torch.optim.Adam")


def test_probe(read):
    (facts,) = read(SEQUENTIAL).facts
    measured = facts.probe.operations
    norm, relu = facts.operations[2], facts.operations[3]
    # what the ReLU overwrites in place was measured before
    assert measured[norm].std == pytest.approx(1, abs=0.05)
    assert measured[norm].zeros == 0
    assert 0.3 < measured[relu].zeros < 0.7
    assert measured[facts.operations[1]].gradient > 0
    assert sorted(facts.probe.rates) == pytest.approx([1e-3, 1e-2, 1e-1])
    before, after = facts.probe.rates[0.01]
    assert after < before
    assert 0 < facts.probe.rate_steps <= 10


def test_program_is_never_trained_and_its_numbers_stay(read, tmp_path):
    text = f"""
        torch.manual_seed(3)
        model = nn.Linear(2, 1)
        first = model.weight.clone()
        opt = torch.optim.SGD(model.parameters(), lr=1.0)
        X, Y = torch.randn(8, 2), torch.randn(8, 1)
        seen = []
        for step in range(5):
            loss = F.mse_loss(model(X), Y)
            opt.zero_grad(); loss.backward()
            seen.append((float(loss), torch.rand(1).item()))
            opt.step()
            with open({str(tmp_path / "seen.txt")!r}, "a") as file:
                print(bool((model.weight == first).all()), *seen[-1], file=file)
    """
    read(text)
    (line,) = (tmp_path / "seen.txt").read_text().splitlines()
    same, loss, drawn = line.split()
    torch.manual_seed(3)
    model = torch.nn.Linear(2, 1)
    x, y = torch.randn(8, 2), torch.randn(8, 1)
    assert float(torch.nn.functional.mse_loss(model(x), y)) == float(loss)
    assert torch.rand(1).item() == float(drawn)
    assert same == "True"


def test_patches_are_taken_back(read):
    before = torch.nn.Module.__call__, torch.optim.SGD.__init__, torch.autograd.backward
    read(SEQUENTIAL)
    assert before == (torch.nn.Module.__call__, torch.optim.SGD.__init__, torch.autograd.backward)
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    first = model.weight.detach().clone()
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert not torch.equal(first, model.weight)


CNN = """
    import argparse
    import numpy as np

    class Digits(Dataset):
        def __init__(self):
            self.images = np.random.randint(0, 255, (120, 28, 28)).astype("float32")
            self.y = np.arange(120) % 10
        def __len__(self):
            return 120
        def __getitem__(self, i):
            return torch.from_numpy(self.images[i]).unsqueeze(0), int(self.y[i])

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
            self.conv2 = nn.Conv2d(10, 20, 5, padding=2, stride=2, bias=False)
            self.fc1 = nn.Linear(720, 50)
            self.fc2 = nn.Linear(50, 10)
            self.never = nn.Linear(3, 4)
        def forward(self, x):
            x = F.relu(F.max_pool2d(self.conv1(x), 2))
            x = torch.relu(self.conv2(x))
            x = x.view(-1, 720)
            x = F.dropout(self.fc1(x))
            x = F.dropout(x, training=self.training)
            return F.log_softmax(self.fc2(x), dim=1)

    def train(model, device, loader, optimizer):
        model.train()
        for batch, (data, target) in enumerate(loader):
            data, target = data.to(device), target.to(device)
            optimizer.zero_grad()
            output = model(data)
            loss = F.nll_loss(output, target)
            loss.backward()
            optimizer.step()

    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("--epochs", type=int, default=14)
        args = parser.parse_args()
        device = torch.device("cuda")
        model = Net().to(device)
        optimizer = torch.optim.Adadelta(model.parameters())
        loader = DataLoader(Digits(), batch_size=60)
        for epoch in range(1, args.epochs + 1):
            train(model, device, loader, optimizer)

    if __name__ == "__main__":
        main()
"""


def test_cnn_in_functional_style(read):
    reading = read(CNN, "--epochs", "3")
    assert reading.error is None
    (facts,) = reading.facts
    assert kinds(facts) == [
        *("Input", "Conv2D", "MaxPooling2D", "relu", "Conv2D", "relu", "flatten", "Dense"),
        *("Dropout", "Dropout", "Dense", "log_softmax"),
    ]
    first, pool, second = facts.operations[1], facts.operations[2], facts.operations[4]
    assert first.settings["padding"] == "valid"
    assert first.settings["kernel_size"] == (5, 5)
    assert (first.channels_first, first.width, first.name) == (True, 10, "conv1")
    assert (pool.settings["pool_size"], pool.channels_first) == ((2, 2), True)
    assert (second.settings["padding"], second.settings["use_bias"]) == ("same", False)
    always, right = facts.of_kind("Dropout")
    assert always.settings.get("always_on") is True
    assert "always_on" not in right.settings
    assert always.place.line == reading.line("F.dropout(self.fc1")
    (output,) = facts.outputs
    assert (output.loss.kind, output.activation) == ("negative_log_likelihood", "log_softmax")
    assert output.loss.place.line == reading.line("F.nll_loss")
    assert output.labels.complete
    np.testing.assert_array_equal(output.labels.array, np.arange(120) % 10)
    assert facts.inputs[0].high > 200
    assert [(name, kind) for name, kind, _ in facts.unused] == [("never", "Dense")]
    assert (facts.training.epochs, facts.training.shuffle) == (3, False)


def test_gan_gives_two_networks(read):
    (d, g) = read("""
        G = nn.Sequential(nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 4), nn.Tanh())
        D = nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Sigmoid())
        criterion = nn.BCELoss()
        optD = torch.optim.Adam(D.parameters(), lr=2e-4)
        optG = torch.optim.Adam(G.parameters(), lr=2e-4)
        for epoch in range(5):
            for i, real in enumerate(DataLoader(torch.randn(64, 4), batch_size=16)):
                D.zero_grad()
                label = torch.full((16,), 1.0)
                criterion(D(real).view(-1), label).backward()
                fake = G(torch.randn(16, 10))
                label.fill_(0.0)
                criterion(D(fake.detach()).view(-1), label).backward()
                optD.step()
                G.zero_grad()
                label.fill_(1.0)
                criterion(D(fake).view(-1), label).backward()
                optG.step()
    """).facts
    assert kinds(d) == ["Input", "Dense", "leaky_relu", "Dense", "sigmoid", "reshape"]
    assert kinds(g)[:5] == ["Input", "Dense", "relu", "Dense", "tanh"]
    assert len(d.outputs) == len(g.outputs) == 1
    # made-up labels are no data
    assert d.outputs[0].labels is g.outputs[0].labels is None
    assert d.training.rows == 64
    for facts in (d, g):
        assert facts.training.gradients_cleared
        assert (facts.optimizer.missing, facts.optimizer.foreign) == ([], 0)
    assert [o.name for o in g.of_kind("Dense")] == ["G.0", "G.2", "D.0", "D.2"]


def test_full_batch_regression_written_out(read):
    (facts,) = read("""
        x = torch.linspace(-3, 3, 200).unsqueeze(1)
        y = x ** 2
        class Net(nn.Module):
            def __init__(self):
                super(Net, self).__init__()
                self.hidden = nn.Linear(1, 10)
                self.out = nn.Linear(10, 1)
            def forward(self, x):
                return self.out(torch.relu(self.hidden(x)))
        net = Net()
        opt = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
        for t in range(100):
            loss = ((net.forward(x) - y) ** 2).mean()
            loss.backward()
            opt.step()
    """).facts
    assert kinds(facts) == ["Input", "Dense", "relu", "Dense"]
    assert facts.outputs[0].loss.kind == "mean_squared_error"
    assert facts.outputs[0].labels.complete
    assert (facts.training.rows, facts.training.epochs, facts.training.steps) == (200, 100, 1)
    assert facts.training.gradients_cleared is False


def test_lstm_classifier_left_in_eval(read):
    (facts,) = read("""
        class Classifier(nn.Module):
            def __init__(self):
                super().__init__()
                self.emb = nn.Embedding(50, 16)
                self.lstm = nn.LSTM(16, 32, batch_first=True)
                self.drop = nn.Dropout(0.5)
                self.fc = nn.Linear(32, 1)
            def forward(self, ids):
                out, (h, c) = self.lstm(self.emb(ids))
                return self.fc(self.drop(h[-1]))
        X, y = torch.randint(0, 50, (200, 12)), torch.randint(0, 2, (200,)).float()
        model = Classifier()
        model.eval()
        criterion = nn.BCEWithLogitsLoss()
        opt = torch.optim.RMSprop(model.parameters())
        for epoch in range(3):
            for i in range(0, len(X), 20):
                opt.zero_grad()
                loss = criterion(model(X[i:i + 20]).squeeze(1), y[i:i + 20])
                loss.backward()
                opt.step()
    """).facts
    assert kinds(facts)[:3] == ["Input", "Embedding", "LSTM"]
    lstm = facts.operations[2]
    assert (lstm.settings["return_sequences"], lstm.shape) == (False, (None, 32))
    assert [p.role for p in lstm.parameters] == ["kernel", "recurrent kernel", "bias", "bias"]
    assert facts.training.training_mode is False
    assert (facts.training.rows, facts.training.steps, facts.training.epochs) == (200, 10, 3)
    loss = facts.outputs[0].loss
    assert (loss.kind, loss.expects, loss.labels) == ("binary_crossentropy", "logits", "binary")
    assert facts.outputs[0].labels.rows == 200


def test_autoencoder_has_its_inputs_as_labels(read):
    (facts,) = read("""
        class Auto(nn.Module):
            def __init__(self):
                super().__init__()
                self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU())
                self.decoder = nn.Sequential(nn.Linear(8, 64), nn.Sigmoid())
            def forward(self, x):
                return self.decoder(self.encoder(x)).view(-1, 1, 8, 8)
        net = Auto()
        opt = torch.optim.AdamW(net.parameters(), lr=1e-3)
        for epoch in range(20):
            for (images,) in DataLoader(TensorDataset(torch.rand(60, 1, 8, 8)), 20):
                loss = nn.functional.mse_loss(net(images), images)
                opt.zero_grad(set_to_none=True)
                loss.backward()
                opt.step()
    """).facts
    assert facts.outputs[0].activation == "sigmoid"
    assert facts.outputs[0].labels.array.shape == (60, 1, 8, 8)
    assert [op.name for op in facts.of_kind("Dense")] == ["encoder.1", "decoder.0"]


def test_lbfgs_with_a_closure(read):
    (facts,) = read("""
        net = nn.Linear(3, 1)
        opt = torch.optim.LBFGS(net.parameters(), lr=0.8)
        X, Y = torch.randn(30, 3), torch.randn(30, 1)
        for i in range(15):
            def closure():
                opt.zero_grad()
                loss = nn.MSELoss()(net(X), Y)
                loss.backward()
                return loss
            opt.step(closure)
    """).facts
    assert facts.optimizer.kind == "lbfgs"
    assert facts.operations[1].name == "net"
    assert facts.training.gradients_cleared
    assert facts.training.epochs == 15


def test_mixed_precision_and_gradient_accumulation(read):
    (facts,) = read("""
        net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)).cuda()
        opt = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=5e-4)
        scaler = torch.cuda.amp.GradScaler()
        data = list(zip(torch.randn(64, 4), torch.randint(0, 2, (64,))))
        criterion = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0])).cuda()
        for epoch in range(2):
            for i, (x, y) in enumerate(DataLoader(data, batch_size=8)):
                with torch.cuda.amp.autocast():
                    loss = criterion(net(x.cuda()), y.cuda()) / 4
                scaler.scale(loss).backward()
                if (i + 1) % 4 == 0:
                    scaler.unscale_(opt)
                    torch.nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)
                    scaler.step(opt)
                    scaler.update()
                    opt.zero_grad()
    """).facts
    assert kinds(facts) == ["Input", "Dense", "relu", "Dense"]
    assert facts.training.gradients_cleared
    assert facts.training.class_weight
    assert facts.optimizer.settings["clipnorm"] == 1.0
    assert facts.outputs[0].labels.rows == 64


@pytest.mark.parametrize(
    "prediction",
    [
        "net(X).argmax(dim=1).float()",
        "net(X).detach()[:, 0]",
        "net(X).data[:, 0]",
        "torch.tensor(net(X).detach().numpy()[:, 0], requires_grad=True)",
    ],
)
def test_loss_without_gradient(read, prediction):
    reading = read(f"""
        net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
        X, y = torch.randn(30, 4), torch.rand(30)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for epoch in range(4):
            opt.zero_grad()
            loss = nn.MSELoss()({prediction}, y)
            loss.backward()
            opt.step()
    """)
    assert reading.error is None
    (facts,) = reading.facts
    assert facts.outputs[0].loss.kind == "mean_squared_error"
    assert facts.outputs[0].loss.requires_gradient is False
    assert "Dense" in kinds(facts)


def test_loss_made_with_numpy(read):
    (facts,) = read("""
        import numpy as np
        net = nn.Linear(2, 1)
        X, Y = torch.rand(50, 2), np.random.rand(50, 1)
        opt = torch.optim.Adam(net.parameters())
        for i in range(100):
            out = net(X).detach().numpy()
            loss = torch.tensor(np.mean((out - Y) ** 2), requires_grad=True)
            opt.zero_grad()
            loss.backward()
            opt.step()
    """).facts
    assert facts.outputs[0].loss.requires_gradient is False
    assert kinds(facts) == ["Input", "Dense"]


def test_layers_in_a_plain_list_are_missing(read):
    (facts,) = read("""
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = [nn.Linear(4, 16), nn.Linear(16, 16)]
                self.out = nn.Linear(16, 1)
            def forward(self, x):
                for layer in self.layers:
                    x = torch.tanh(layer(x))
                return self.out(x)
        net = Net()
        opt = torch.optim.Adam(net.parameters(), lr=0.01)
        X = torch.randn(100, 4)
        for epoch in range(50):
            loss = nn.MSELoss()(net(X), X.sum(1))
            opt.zero_grad(); loss.backward(); opt.step()
    """).facts
    assert facts.optimizer.missing == [
        *("layers.0.bias", "layers.0.weight", "layers.1.bias", "layers.1.weight"),
    ]
    assert facts.outputs[0].loss.prediction_shape == (100, 1)
    assert facts.outputs[0].loss.target_shape == (100,)


LOOP = """
    def make():
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    net = make()
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    %s
    X, y = torch.rand(50, 4), torch.randint(0, 2, (50,))
    criterion = nn.CrossEntropyLoss()
    for i in range(10):
        loss = criterion(net(X), y)
        %s
"""


def test_optimizer_of_another_network(read):
    (facts,) = read(LOOP % ("net = make()", "opt.zero_grad(); loss.backward(); opt.step()")).facts
    assert facts.optimizer.foreign == 4
    assert len(facts.optimizer.missing) == 4
    assert facts.training.gradients_at_step is False


def test_no_step(read):
    (facts,) = read(LOOP % ("", "opt.zero_grad(); loss.backward()")).facts
    assert facts.training.steps_taken is False


def test_gradients_lost_before_the_step(read):
    (facts,) = read(LOOP % ("", "loss.backward(); opt.zero_grad(); opt.step()")).facts
    assert facts.training.gradients_at_step is False


def test_gradients_cleared_by_hand(read):
    step = "[p.grad.zero_() for p in net.parameters() if p.grad is not None]"
    (facts,) = read(LOOP % ("", f"{step}; loss.backward(); opt.step()")).facts
    assert facts.training.gradients_cleared is True


def test_frozen_parameters_are_not_missing(read):
    (facts,) = read("""
        model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1)),
                              nn.Flatten(), nn.Linear(8, 10))
        model.load_state_dict(model.state_dict())
        for p in model.parameters():
            p.requires_grad = False
        model[4] = nn.Linear(8, 2)
        opt = torch.optim.SGD(model[4].parameters(), lr=1e-3, momentum=0.9)
        data = TensorDataset(torch.rand(40, 3, 8, 8), torch.arange(40) % 2)
        train, rest = torch.utils.data.random_split(data, [32, 8])
        loaders = {"train": DataLoader(train, 4, shuffle=True), "val": DataLoader(rest, 4)}
        for epoch in range(25):
            for phase in ["train", "val"]:
                for inputs, labels in loaders[phase]:
                    opt.zero_grad()
                    with torch.set_grad_enabled(phase == "train"):
                        loss = nn.CrossEntropyLoss()(model(inputs), labels)
                    if phase == "train":
                        loss.backward()
                        opt.step()
    """).facts
    assert kinds(facts) == ["Input", "Conv2D", "relu", "GlobalAveragePooling2D", "Flatten", "Dense"]
    assert not facts.operations[1].trainable
    assert facts.optimizer.missing == []
    assert (facts.training.rows, facts.training.epochs) == (32, 25)
    assert facts.parameters == 18


def test_several_losses_are_several_outputs(read):
    (facts,) = read("""
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.Sequential(nn.Linear(6, 16), nn.ReLU())
                self.cls, self.reg = nn.Linear(16, 3), nn.Linear(16, 1)
            def forward(self, x):
                h = self.body(x)
                return {"cls": self.cls(h), "reg": self.reg(h)}
        class Focal(nn.Module):
            def forward(self, out, y):
                ce = F.cross_entropy(out, y, reduction="none")
                return ((1 - torch.exp(-ce)) ** 2 * ce).mean()
        class Trainer:
            def __init__(self):
                self.model, self.focal = Net(), Focal()
                self.opt = torch.optim.AdamW(self.model.parameters(), lr=3e-4)
                self.X, self.y = torch.randn(90, 6), torch.randint(0, 3, (90,))
            def run(self):
                for epoch in range(20):
                    order = torch.randperm(90)
                    for b in range(0, 90, 30):
                        i = order[b:b + 30]
                        out = self.model(self.X[i])
                        loss = self.focal(out["cls"], self.y[i])
                        loss = loss + 0.5 * F.smooth_l1_loss(out["reg"][:, 0], self.X[i].sum(1))
                        self.opt.zero_grad()
                        loss.backward()
                        self.opt.step()
        Trainer().run()
    """).facts
    classes, values = facts.outputs
    assert (classes.operation.name, classes.loss.kind) == ("cls", "sparse_categorical_crossentropy")
    assert classes.labels.rows == 90
    assert values.loss.kind == "huber"
    assert facts.training.epochs == 20


def test_soft_labels_are_probabilities(read):
    text = LOOP.replace("torch.randint(0, 2, (50,))", "torch.eye(2)[torch.arange(50) // 25]")
    (facts,) = read(text % ("", "opt.zero_grad(); loss.backward(); opt.step()")).facts
    loss = facts.outputs[0].loss
    assert (loss.kind, loss.labels) == ("categorical_crossentropy", "one-hot or classes")
    assert facts.outputs[0].labels.is_one_hot


def test_dies_in_the_loss(read):
    text = LOOP.replace("torch.randint(0, 2, (50,))", "torch.eye(2)[torch.arange(50) // 25].long()")
    reading = read(text % ("", "opt.zero_grad(); loss.backward(); opt.step()"))
    assert isinstance(reading.error, RuntimeError)
    assert not reading.reached_training
    (facts,) = reading.facts
    assert facts.outputs[0].loss.kind == "sparse_categorical_crossentropy"
    assert facts.outputs[0].labels.is_one_hot
    assert facts.optimizer.kind == "adam"


def test_dies_in_the_network(read):
    reading = read("""
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Linear(1800, 10))
        net(torch.rand(8, 3, 32, 32))
    """)
    assert isinstance(reading.error, RuntimeError)
    (facts,) = reading.facts
    assert kinds(facts) == ["Input", "Conv2D", "relu", "MaxPooling2D", "Dense"]
    assert facts.operations[3].shape == (None, 8, 15, 15)
    assert facts.outputs == []


def test_dies_before_any_network(read):
    reading = read("import a_module_that_is_not_there")
    assert isinstance(reading.error, ModuleNotFoundError)
    assert reading.facts == []


def test_weights_without_modules(read):
    (facts,) = read("""
        x, y = torch.randn(64, 100), torch.randn(64, 10)
        w1 = torch.randn(100, 20, requires_grad=True)
        w2 = torch.randn(20, 10, requires_grad=True)
        for t in range(500):
            loss = (x.mm(w1).clamp(min=0).mm(w2) - y).pow(2).sum()
            loss.backward()
            with torch.no_grad():
                w1 -= 1e-6 * w1.grad
                w2 -= 1e-6 * w2.grad
                w1.grad.zero_()
                w2.grad.zero_()
    """).facts
    assert kinds(facts) == ["Input", "Dense", "relu", "Dense"]
    assert facts.optimizer is None
    assert facts.training.steps_taken is None


def test_language_model_with_the_loss_inside(read):
    (facts,) = read("""
        class LM(nn.Module):
            def __init__(self):
                super().__init__()
                self.tok, self.pos = nn.Embedding(20, 16), nn.Embedding(8, 16)
                self.q, self.ln = nn.Linear(16, 16, bias=False), nn.LayerNorm(16)
                self.head = nn.Linear(16, 20)
                self.register_buffer("mask", torch.tril(torch.ones(8, 8)))
            def forward(self, ids, targets=None):
                x = self.tok(ids) + self.pos(torch.arange(ids.shape[1]))
                q = self.q(self.ln(x))
                w = (q @ q.transpose(-2, -1)).masked_fill(self.mask == 0, float("-inf"))
                logits = self.head(x + F.softmax(w, dim=-1) @ q)
                return logits, F.cross_entropy(logits.view(-1, 20), targets.view(-1))
        model = LM()
        opt = torch.optim.AdamW(model.parameters(), lr=1e-3)
        data = torch.randint(0, 20, (500,))
        for it in range(300):
            ix = torch.randint(len(data) - 9, (4,))
            x = torch.stack([data[i:i + 8] for i in ix])
            logits, loss = model(x, torch.stack([data[i + 1:i + 9] for i in ix]))
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
    """).facts
    (output,) = facts.outputs
    assert (output.activation, output.loss.class_axis) == ("linear", 1)
    assert len(facts.inputs) == 1
    # a mask's infinities are no fault
    assert all(one.finite for one in facts.probe.operations.values())


def test_one_row_at_a_time(read):
    (facts,) = read("""
        X = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
        Y = torch.tensor([0.0, 1, 1, 0])
        net = nn.Sequential(nn.Linear(2, 4), nn.Sigmoid(), nn.Linear(4, 1), nn.Sigmoid())
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for epoch in range(100):
            for x, y in zip(X, Y):
                opt.zero_grad()
                loss = F.mse_loss(net(x)[0], y)
                loss.backward()
                opt.step()
    """).facts
    assert facts.operations[0].shape == (None, 2)
    assert facts.inputs[0].array.shape == (4, 2)
    assert facts.outputs[0].labels.array.shape == (4,)
    assert (facts.training.batch_size, facts.training.rows) == (1, 4)


def test_transformer_and_policy_gradient_do_not_break_it(read):
    (facts,) = read("""
        layer = nn.TransformerEncoderLayer(16, 2, 32, 0.1, batch_first=True)
        encoder = nn.TransformerEncoder(layer, 1)
        model = nn.Sequential(nn.Embedding(30, 16), encoder, nn.Linear(16, 30))
        opt = torch.optim.SGD(model.parameters(), lr=0.1)
        data = torch.randint(0, 30, (20, 9))
        for i in range(3):
            out = model(data[:, :-1])
            loss = nn.CrossEntropyLoss()(out.transpose(1, 2), data[:, 1:])
            opt.zero_grad(); loss.backward(); opt.step()
    """).facts
    assert "MultiHeadAttention" in kinds(facts)
    assert facts.outputs[0].loss.class_axis == 1
    (facts,) = read("""
        from torch.distributions import Categorical
        policy = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2), nn.Softmax(dim=1))
        opt = torch.optim.Adam(policy.parameters(), lr=1e-2)
        for episode in range(5):
            logs = []
            for t in range(20):
                choice = Categorical(policy(torch.randn(1, 4)))
                logs.append(choice.log_prob(choice.sample()))
            loss = torch.cat([-one * 0.5 for one in logs]).sum()
            opt.zero_grad(); loss.backward(); opt.step()
    """).facts
    assert facts.outputs[0].loss.kind == "custom"
    assert kinds(facts) == ["Input", "Dense", "relu", "Dense", "softmax"]


def test_critic_with_a_loss_of_its_own(read):
    critic, generator = sorted(
        read("""
        G = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        C = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
        og, oc = (torch.optim.RMSprop(m.parameters(), 5e-5) for m in (G, C))
        for i, (x,) in enumerate(DataLoader(TensorDataset(torch.randn(200, 2)), 20)):
            oc.zero_grad()
            made = G(torch.randn(20, 4)).detach()
            between = (0.5 * x + 0.5 * made).requires_grad_(True)
            slope, = torch.autograd.grad(C(between).sum(), between, create_graph=True)
            penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean()
            (C(made).mean() - C(x).mean() + 10 * penalty).backward()
            oc.step()
            if i % 3 == 0:
                og.zero_grad()
                (-C(G(torch.randn(20, 4))).mean()).backward()
                og.step()
        """).facts,
        key=lambda facts: len(facts.operations),
    )
    assert kinds(critic) == ["Input", "Dense", "leaky_relu", "Dense"]
    assert kinds(generator)[:4] == ["Input", "Dense", "relu", "Dense"]
    assert critic.outputs[0].loss.kind == "custom"
    # a critic's loss need not fall
    assert generator.probe.rates == {}


def test_function_with_a_backward_of_its_own(read):
    (facts,) = read("""
        class Rectify(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x.clamp(min=0)
            @staticmethod
            def backward(ctx, g):
                return g * (ctx.saved_tensors[0] > 0).float()
        class Act(nn.Module):
            def forward(self, x):
                return Rectify.apply(x)
        net = nn.Sequential(nn.Linear(4, 8), Act(), nn.Linear(8, 2))
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for e in range(5):
            loss = F.cross_entropy(net(torch.randn(40, 4)), torch.arange(40) % 2)
            opt.zero_grad(); loss.backward(); opt.step()
    """).facts
    assert kinds(facts) == ["Input", "Dense", "relu", "Dense"]


def test_program_catching_everything_is_stopped(read):
    reading = read("""
        net = nn.Linear(2, 1)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        while True:
            try:
                loss = net(torch.ones(3, 2)).mean()
                opt.zero_grad(); loss.backward(); opt.step()
            except:
                break
        input("the end?")
    """)
    assert reading.error is None
    assert len(reading.facts) == 1


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_torch_program(tmp_path / "nothing.py")


ARTICLE = """
    import torch.optim as optim
    import torchvision
    import torchvision.transforms as transforms

    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    batch_size = 100
    transform = transforms.Compose([transforms.ToTensor()])
    train_dataset = torchvision.datasets.MNIST(root='./data', train=True, download=True,
                                               transform=transform)
    train_loader = DataLoader(dataset=train_dataset, batch_size=batch_size, shuffle=True)

    class NeuralNetwork(nn.Module):
        def __init__(self):
            super(NeuralNetwork, self).__init__()
            self.flatten = nn.Flatten()
            self.fc1 = nn.Linear(28 * 28, 128)
            self.fc2 = nn.Linear(128, 20)
            self.fc3 = nn.Linear(20, 10)

        def forward(self, x):
            x = self.flatten(x)
            x = F.relu(self.fc1(x))
            x = F.relu(self.fc2(x))
            x = F.softmax(self.fc3(x), dim=1)
            return x

    model = NeuralNetwork().to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters())

    def train_model(model, train_loader, criterion, optimizer, epochs=10, device=device):
        train_size = int(0.9 * len(train_loader.dataset))
        val_size = len(train_loader.dataset) - train_size
        train_dataset, val_dataset = torch.utils.data.random_split(
            train_loader.dataset, [train_size, val_size])
        train_loader = DataLoader(train_dataset, batch_size=batch_size, shuffle=True)
        for epoch in range(epochs):
            model.train()
            for images, labels in train_loader:
                images, labels = images.to(device), labels.to(device)
                optimizer.zero_grad()
                outputs = model(images)
                loss = criterion(outputs, labels)
                loss.backward()
                optimizer.step()
                _, predicted = torch.max(outputs.data, 1)

    train_model(model, train_loader, criterion, optimizer, 10, device)
"""
# Stands in for torchvision: images and labels of MNIST's shapes.
TORCHVISION = """
import numpy as np
import torch
from torchvision import transforms

class datasets:
    class MNIST:
        def __init__(self, root, train, download, transform):
            generator = np.random.default_rng(0)
            self.data = torch.tensor(generator.integers(0, 256, (600, 28, 28)).astype("uint8"))
            self.targets = torch.arange(600) % 10
            self.transform, self.target_transform = transform, None
        def __len__(self):
            return 600
        def __getitem__(self, i):
            return self.transform(self.data[i].numpy()), int(self.targets[i])
"""
TRANSFORMS = """
import torch
class Compose:
    def __init__(self, steps):
        self.steps = steps
    def __call__(self, image):
        for step in self.steps:
            image = step(image)
        return image
class ToTensor:
    def __call__(self, image):
        return torch.from_numpy(image)[None].float() / 255
"""


def test_the_article_with_softmax_twice(read, tmp_path, monkeypatch):
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(TORCHVISION)
    (package / "transforms.py").write_text(TRANSFORMS)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("torchvision", "torchvision.transforms"):
        monkeypatch.delitem(__import__("sys").modules, name, raising=False)
    reading = read(ARTICLE)
    assert reading.error is None
    (facts,) = reading.facts
    assert kinds(facts) == ["Input", "Flatten", *("Dense", "relu") * 2, "Dense", "softmax"]
    (output,) = facts.outputs
    assert (output.activation, output.loss.applies) == ("softmax", "softmax")
    assert output.operation.place.line == reading.line("F.softmax(self.fc3")
    assert (output.labels.rows, output.classes) == (540, 10)
    assert facts.inputs[0].high <= 1
    assert (facts.training.rows, facts.training.epochs, facts.training.steps) == (540, 10, 6)


VALIDATED = """
    X, y = torch.randn(120, 4), torch.randint(0, 2, (120,))
    train = DataLoader(TensorDataset(X[:100], y[:100]), batch_size=20, shuffle=True)
    {name} = DataLoader(TensorDataset(X[100:], y[100:]), batch_size=20)
    model = nn.Linear(4, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(3):
        correct = 0
        for a, b in train:
            optimizer.zero_grad()
            out = model(a)
            loss = criterion(out, b)
            loss.backward()
            optimizer.step()
            correct += (out.argmax(1) == b).sum()
"""


def test_validation_data_and_accuracy(read):
    reading = read(VALIDATED.format(name="val_loader"))
    (facts,) = reading.facts
    (held_out,) = facts.validation_inputs
    assert (held_out.rows, held_out.place.line) == (20, reading.line("val_loader ="))
    assert facts.outputs[0].validation_labels.rows == 20
    assert [metric.kind for metric in facts.outputs[0].metrics] == ["accuracy"]
    assert facts.training.loader_place.line == reading.line("train = DataLoader")
    assert facts.training.step_place.line == reading.line("optimizer.step()")
    assert facts.inputs[0].place.line == reading.line("train = DataLoader")


def test_a_second_loader_of_another_name_is_no_validation_data(read):
    (facts,) = read(VALIDATED.format(name="unlabelled")).facts
    assert facts.validation_inputs == []


def test_where_data_was_made_and_reshaped(read):
    reading = read(
        """
        import numpy as np
        images = torch.from_numpy(np.random.rand(40, 6, 6, 3).astype("float32"))
        X = images.view(-1, 3, 6, 6)
        y = torch.randint(0, 2, (40,))
        model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(32, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for epoch in range(3):
            optimizer.zero_grad()
            F.cross_entropy(model(X), y).backward()
            optimizer.step()
        """
    )
    (facts,) = reading.facts
    assert facts.inputs[0].place.line == reading.line("X = images")
    assert facts.inputs[0].reshaped_from == (40, 6, 6, 3)


def test_where_the_gradient_was_lost(read):
    reading = read(
        """
        X, y = torch.randn(20, 4), torch.randint(0, 2, (20,)).float()
        model = nn.Linear(4, 2)
        criterion = nn.MSELoss()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for epoch in range(3):
            optimizer.zero_grad()
            out = model(X)
            guess = out.argmax(dim=1).float()
            loss = criterion(guess, y).requires_grad_()
            loss.backward()
            optimizer.step()
        """
    )
    loss = reading.facts[0].outputs[0].loss
    assert not loss.requires_gradient
    assert loss.gradient_lost.line == reading.line("argmax")
