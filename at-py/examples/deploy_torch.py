# %% [markdown]
# A PyTorch model with photonic layers, trained on a computer, then deployed to a chip that is not what it was meant to be.

# %% The model: two meshes with a nonlinearity between them, read by detectors
import torch

import asyt
import asyt.torch

digits = asyt.load("digits")
x, labels = torch.from_numpy(digits.x_train), torch.from_numpy(digits.y_train.astype("int64"))
x_test, labels_test = torch.from_numpy(digits.x_test), torch.from_numpy(digits.y_test.astype("int64"))


class Photonic(torch.nn.Module):
    def __init__(self, **errors):
        super().__init__()
        self.first, self.second = (asyt.torch.Mesh(64, seed=seed, **errors) for seed in (7, 8))

    def forward(self, x):
        light = self.first(torch.nn.functional.normalize(x, dim=1) * 4)
        light = light * torch.exp(-1j * light.abs() ** 2)  # self-phase modulation
        return self.second(light).abs().square()[:, :10]


def accuracy(model):
    with torch.no_grad():
        return (model(x_test).argmax(1) == labels_test).float().mean().item()


# %% Train it as any model
torch.manual_seed(1)
model = Photonic()
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for epoch in range(20):
    for batch in torch.randperm(len(x)).split(100):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(8 * torch.nn.functional.normalize(model(x[batch]), p=1, dim=1), labels[batch]).backward()
        optimizer.step()
print(f"on the computer: {accuracy(model):.3f}")

# %% Deploy its phases to an imperfect chip, by a phase file as the program reads it
model.first.save_phases("first.npz")
model.second.save_phases("second.npz")
chip = Photonic(splitter_angle=0.02, phase=0.03)
chip.first.load_phases("first.npz")
chip.second.load_phases("second.npz")
print(f"on the chip: {accuracy(chip):.3f}")
