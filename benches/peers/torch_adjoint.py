"""Forward and gradient of one rectangular mesh in PyTorch, complex64, as well as it can be written by hand: the mesh column by column,
vectorised over MZIs and samples, with the reversible adjoint, so that memory does not grow with depth. To be compared with
`measure_meshes` of at-gpu on the same GPU.

    torch_adjoint.py --modes 256,512,1024 --batch 1024 [--device cuda]

Prints one JSON object per size. The gradient is compared with autograd's first.
"""

import json
import math

import torch

from torch_timing import flags, timed


def columns(modes, depth):
    """(first row, MZIs) of every column."""
    return [(c % 2, (modes - c % 2) // 2) for c in range(depth)]


def coefficients(theta, phi):
    """M of ideal MZIs: i e^{i theta/2} [[e^{i phi} sin, cos], [e^{i phi} cos, -sin]], with theta/2 in sin and cos."""
    common = 1j * torch.exp(0.5j * theta)
    s, c, e = torch.sin(theta / 2), torch.cos(theta / 2), torch.exp(1j * phi)
    return torch.stack([common * e * s, common * c, common * e * c, -common * s])


def cross(m, x0, x1):
    """A column's MZIs on its pairs of modes; everything [MZIs, batch]."""
    return m[0, :, None] * x0 + m[1, :, None] * x1, m[2, :, None] * x0 + m[3, :, None] * x1


class Mesh(torch.autograd.Function):
    """fields [modes, batch] through all columns; rebuilds the fields on the way back."""

    @staticmethod
    def forward(ctx, fields, theta, phi, layout):
        m = coefficients(theta, phi)
        y = fields.clone()
        first = 0
        for row, count in layout:
            pairs = y[row : row + 2 * count].view(count, 2, -1)
            z0, z1 = cross(m[:, first : first + count], pairs[:, 0], pairs[:, 1])
            pairs[:, 0], pairs[:, 1] = z0, z1
            first += count
        ctx.layout = layout
        ctx.save_for_backward(y, m)
        return y

    @staticmethod
    def backward(ctx, adjoint):
        y, m = ctx.saved_tensors
        # Fields and adjoints side by side: one product serves both.
        both = torch.cat([y, adjoint], dim=1)
        batch = y.shape[1]
        back = m.conj()[[0, 2, 1, 3]]
        theta = torch.empty(m.shape[1], device=y.device)
        phi = torch.empty_like(theta)
        first = m.shape[1]
        half = math.sqrt(0.5)
        for row, count in reversed(ctx.layout):
            first -= count
            pairs = both[row : row + 2 * count].view(count, 2, -1)
            v = half * (pairs[:, 0] - 1j * pairs[:, 1])
            theta[first : first + count] = (v[:, batch:].conj() * v[:, :batch]).imag.sum(1)
            x0, x1 = cross(back[:, first : first + count], pairs[:, 0], pairs[:, 1])
            phi[first : first + count] = (x0[:, batch:].conj() * x0[:, :batch]).imag.sum(1)
            pairs[:, 0], pairs[:, 1] = x0, x1
        # torch's gradient of a complex number is 2 dL/dz*, so the factor -2 of the formulas is -1 here.
        return both[:, batch:], -theta, -phi, None


def plain(fields, theta, phi, layout):
    """The same with autograd alone, for `--check`."""
    m = coefficients(theta, phi)
    y, first = fields, 0
    for row, count in layout:
        pairs = y[row : row + 2 * count].reshape(count, 2, -1)
        z = torch.stack(cross(m[:, first : first + count], pairs[:, 0], pairs[:, 1]), 1).reshape(2 * count, -1)
        y = torch.cat([y[:row], z, y[row + 2 * count :]])
        first += count
    return y


def draw(modes, batch, device):
    generator = torch.Generator().manual_seed(1)
    count = modes * (modes - 1) // 2
    theta = (math.pi * torch.rand(count, generator=generator)).to(device).requires_grad_()
    phi = (2 * math.pi * torch.rand(count, generator=generator)).to(device).requires_grad_()
    fields = torch.randn(modes, batch, dtype=torch.complex64, generator=generator).to(device)
    weights = torch.randn(modes, batch, generator=generator).to(device)
    return fields, theta, phi, weights


def step(fields, theta, phi, weights, layout, mesh):
    theta.grad = phi.grad = None
    loss = (weights * mesh(fields, theta, phi, layout).abs() ** 2).sum()
    loss.backward()
    return theta.grad, phi.grad


def check(device):
    fields, theta, phi, weights = draw(7, 5, device)
    layout = columns(7, 7)
    got = [g.clone() for g in step(fields, theta, phi, weights, layout, Mesh.apply)]
    expected = step(fields, theta, phi, weights, layout, plain)
    for a, b in zip(got, expected):
        apart = ((a - b).abs().max() / b.abs().max()).item()
        assert apart < 1e-5, f"the adjoint is {apart:.1e} from autograd"


def main():
    arguments = flags(__doc__, "256,512,1024,2048,4096").parse_args()
    device = arguments.device
    check(device)
    for modes in arguments.modes:
        case = draw(modes, arguments.batch, device)
        layout = columns(modes, modes)
        seconds = timed(lambda: step(*case, layout, Mesh.apply), device, arguments.seconds)
        line = {"case": "torch adjoint, complex64", "torch": torch.__version__, "modes": modes}
        print(json.dumps(line | {"batch": arguments.batch, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
