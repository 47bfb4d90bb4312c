"""Other ways to simulate a mesh of MZIs, timed beside this one: one gradient of one ideal rectangular mesh.

Controls to readouts to dL/d(controls) in complex64, L = sum of error * |y|^2 over the batch. The rivals are neurophox's torch
layer, and three that are written here from the equations of docs/conventions.md and docs/method.md: a JAX scan that JAX
differentiates, a JAX scan with a reversible gradient, and a torch loop with the hand-written adjoint. Each runs in its own
process; so does asyt.torch, which is our own gradient as a layer of PyTorch. First the three and it are compared with our numbers at 64
modes; neurophox has phases of its own, and its convention is compared in tests/neurophox.rs. In this table asyt-torch and the rivals in
PyTorch also compute the loss there, operation by operation; what PyTorch adds to our call by itself is told below it, at 64 modes, from
times that are taken in turns (torch_layer.py).

usage: python benches/peers/mesh.py [--modes 64,256,1024] [--batch 256] [--venv DIR]
Packages are installed by name into DIR (default target/peers). Times: milliseconds per gradient on the clock, the best of
several, and milliseconds of all processors together, which other work on the machine changes less. Memory: what a process
takes at most beyond what it holds when it has its packages, controls and light.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RIVALS = ["asyt-torch", "neurophox", "jax-scan", "jax-reversible", "torch-adjoint"]


# ---- the mesh, from the equations; fields are [mode, sample] ----


def columns(modes, values):
    """Values of every MZI, column by column, as [column, modes // 2]; places without an MZI get 0."""
    import numpy as np

    table, start = np.zeros((modes, modes // 2), np.float32), 0
    for column in range(modes):
        count = (modes - column % 2) // 2
        table[column, :count] = values[start : start + count]
        start += count
    return table


def flat(modes, table):
    """The inverse of `columns`."""
    import numpy as np

    return np.concatenate([np.asarray(table[column])[: (modes - column % 2) // 2] for column in range(modes)])


def torch_adjoint(modes, controls, fields, error):
    import torch

    mzis = modes * (modes - 1) // 2
    theta, phi = (torch.from_numpy(columns(modes, part)) for part in (controls[:mzis], controls[mzis : 2 * mzis]))
    gamma, x0, error = torch.from_numpy(controls[2 * mzis :]), torch.from_numpy(fields), torch.from_numpy(error)

    def gradient():
        half, turn = theta / 2, torch.exp(1j * phi)
        common = 1j * torch.exp(1j * half)
        s, c = torch.sin(half), torch.cos(half)
        m = [(common * turn * s), (common * c), (common * turn * c), (-common * s)]
        m = [entry.unsqueeze(-1) for entry in m]
        y = x0.clone()
        for column in range(modes):
            count, first = (modes - column % 2) // 2, column % 2
            m00, m01, m10, m11 = (entry[column, :count] for entry in m)
            pairs = y[first : first + 2 * count].view(count, 2, -1)
            a, b = pairs[:, 0], pairs[:, 1]
            pairs[:, 0], pairs[:, 1] = m00 * a + m01 * b, m10 * a + m11 * b
        y *= torch.exp(1j * gamma).unsqueeze(-1)
        readout = y.real**2 + y.imag**2
        both = torch.stack([y, error * y])
        d_gamma = -2 * (both[1].conj() * both[0]).imag.sum(-1)
        both *= torch.exp(-1j * gamma).unsqueeze(-1)
        d_theta, d_phi = torch.zeros_like(theta), torch.zeros_like(phi)
        for column in reversed(range(modes)):
            count, first = (modes - column % 2) // 2, column % 2
            m00, m01, m10, m11 = (entry[column, :count].conj() for entry in m)
            pairs = both[:, first : first + 2 * count].view(2, count, 2, -1)
            u, l = pairs[:, :, 0], pairs[:, :, 1]
            inner = u - 1j * l  # behind the second coupler, times sqrt(2)
            d_theta[column, :count] = -(inner[1].conj() * inner[0]).imag.sum(-1)
            above, below = m00 * u + m10 * l, m01 * u + m11 * l
            d_phi[column, :count] = -2 * (above[1].conj() * above[0]).imag.sum(-1)
            pairs[:, :, 0], pairs[:, :, 1] = above, below
        return readout, d_theta, d_phi, d_gamma

    def numbers(result):
        readout, d_theta, d_phi, d_gamma = (part.numpy() for part in result)
        return readout, flat(modes, d_theta), flat(modes, d_phi), d_gamma

    return gradient, numbers


def jax_scan(modes, controls, fields, error, reversible):
    import jax
    import jax.numpy as jnp

    assert modes % 2 == 0, "the scan takes an even and an odd column at a time"
    mzis = modes * (modes - 1) // 2
    theta, phi = (jnp.asarray(columns(modes, part)) for part in (controls[:mzis], controls[mzis : 2 * mzis]))
    gamma, x0, error = jnp.asarray(controls[2 * mzis :]), jnp.asarray(fields), jnp.asarray(error)

    def coefficients(theta, phi):
        half, turn = theta / 2, jnp.exp(1j * phi)
        common = 1j * jnp.exp(1j * half)
        s, c = jnp.sin(half), jnp.cos(half)
        return common * turn * s, common * c, common * turn * c, -common * s

    def mix(x, m, first):
        inside = x[first : modes - first].reshape(-1, 2, x.shape[-1])
        m00, m01, m10, m11 = (entry[: inside.shape[0], None] for entry in m)
        a, b = inside[:, 0], inside[:, 1]
        mixed = jnp.stack([m00 * a + m01 * b, m10 * a + m11 * b], axis=1).reshape(modes - 2 * first, -1)
        return jnp.concatenate([x[:first], mixed, x[modes - first :]]) if first else mixed

    def forward(theta, phi, x):
        def step(x, m):
            x = mix(x, [entry[0] for entry in m], 0)
            return mix(x, [entry[1] for entry in m], 1), None

        m = [entry.reshape(modes // 2, 2, -1) for entry in coefficients(theta, phi)]
        return jax.lax.scan(step, x, m)[0]

    mesh = forward
    if reversible:
        mesh = jax.custom_vjp(forward)

        def record(theta, phi, x):
            y = forward(theta, phi, x)
            return y, (theta, phi, y)

        def back(kept, cotangent):
            theta, phi, y = kept
            a = cotangent.conj() / 2  # JAX hands dL/dy over as 2 a*

            def unmix(y, a, m, first):
                pair = lambda x: x[first : modes - first].reshape(-1, 2, x.shape[-1])
                (y0, y1), (a0, a1) = ((p[:, 0], p[:, 1]) for p in (pair(y), pair(a)))
                d_theta = -((a0 - 1j * a1).conj() * (y0 - 1j * y1)).imag.sum(-1)
                m00, m01, m10, m11 = m
                adjoint = [entry.conj() for entry in (m00, m10, m01, m11)]
                y, a = mix(y, adjoint, first), mix(a, adjoint, first)
                upper = lambda x: x[first : modes - first].reshape(-1, 2, x.shape[-1])[:, 0]
                d_phi = -2 * (upper(a).conj() * upper(y)).imag.sum(-1)
                fill = lambda d: jnp.pad(d, (0, modes // 2 - d.shape[0]))
                return y, a, fill(d_theta), fill(d_phi)

            def step(carry, m):
                y, a = carry
                y, a, t1, p1 = unmix(y, a, [entry[1] for entry in m], 1)
                y, a, t0, p0 = unmix(y, a, [entry[0] for entry in m], 0)
                return (y, a), (jnp.stack([t0, t1]), jnp.stack([p0, p1]))

            m = [entry.reshape(modes // 2, 2, -1) for entry in coefficients(theta, phi)]
            (_, a), (d_theta, d_phi) = jax.lax.scan(step, (y, a), m, reverse=True)
            return d_theta.reshape(theta.shape), d_phi.reshape(phi.shape), 2 * a.conj()

        mesh.defvjp(record, back)

    def loss(theta, phi, gamma):
        y = jnp.exp(1j * gamma)[:, None] * mesh(theta, phi, x0)
        readout = y.real**2 + y.imag**2
        return (error * readout).sum(), readout

    compiled = jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True))

    def gradient():
        (_, readout), slopes = compiled(theta, phi, gamma)
        return jax.block_until_ready((readout, *slopes))

    def numbers(result):
        import numpy as np

        readout, d_theta, d_phi, d_gamma = map(np.asarray, result)
        return readout, flat(modes, d_theta), flat(modes, d_phi), d_gamma

    return gradient, numbers


def neurophox_layer(modes, fields, error):
    import numpy as np
    import torch

    for name, kind in [("bool", bool), ("complex", complex), ("float", float), ("int", int), ("object", object)]:
        if name not in np.__dict__:
            setattr(np, name, kind)  # names that neurophox 0.1.0a4 takes from an older NumPy
    from neurophox.torch import RMTorch

    # Its tensors hold real and imaginary parts along the first axis, [2, sample, mode].
    x = torch.from_numpy(np.stack([fields.T.real, fields.T.imag]).astype(np.float32))
    layer, error = RMTorch(modes), torch.from_numpy(error.T.copy())

    def gradient():
        layer.zero_grad(set_to_none=True)
        y = layer(x)
        (error * (y[0] ** 2 + y[1] ** 2)).sum().backward()
        return [parameter.grad for parameter in layer.parameters()]

    with torch.no_grad():
        y = layer(x)
        assert y.shape == x.shape and torch.allclose((y**2).sum((0, 2)), (x**2).sum((0, 2)), rtol=1e-3), "a lossless mesh"

    return gradient, None


def asyt_torch(modes, controls, fields, error):
    """Not a rival: the same Rust as `this`, as a layer of PyTorch."""
    import numpy as np
    import torch

    import asyt.torch

    layer, x, error = asyt.torch.Mesh(modes), torch.from_numpy(np.ascontiguousarray(fields.T)), torch.from_numpy(error.T.copy())
    with torch.no_grad():
        layer.controls.copy_(torch.from_numpy(controls))

    def gradient():
        layer.zero_grad(set_to_none=True)
        y = torch.view_as_real(layer(x))
        readout = (y * y).sum(-1)
        (error * readout).sum().backward()
        return readout.detach(), layer.controls.grad

    return gradient, lambda result: (result[0].numpy().T, result[1].numpy())


# ---- one rival in its own process ----


def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def rival(name, path, seconds, check):
    import numpy as np

    data = np.load(path)
    batch, modes = (int(value) for value in data["shape"])
    fields = np.ascontiguousarray(data["fields"].view(np.complex64).reshape(batch, modes).T)
    error = np.ascontiguousarray(data["error"].reshape(batch, modes).T)
    if name == "neurophox":
        gradient, numbers = neurophox_layer(modes, fields, error)
    elif name == "asyt-torch":
        gradient, numbers = asyt_torch(modes, data["controls"], fields, error)
    elif name == "torch-adjoint":
        gradient, numbers = torch_adjoint(modes, data["controls"], fields, error)
    else:
        gradient, numbers = jax_scan(modes, data["controls"], fields, error, name == "jax-reversible")
    before = status("VmRSS")
    result = gradient()  # compiles where there is something to compile
    report = {"name": name, "modes": modes, "memory": max(status("VmHWM") - before, 0)}
    if check and numbers:
        readout, *slopes = numbers(result)
        ours = [data["readout"].reshape(batch, modes).T, data["gradient"]]
        apart = [np.abs(a - b).max() / np.abs(b).max() for a, b in zip([readout, np.concatenate(slopes)], ours)]
        report["apart"] = float(max(apart))
    processors = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    times, start, spent = [], time.perf_counter(), processors()
    while len(times) < 3 or (time.perf_counter() - start < seconds and len(times) < 200):
        begin = time.perf_counter()
        gradient()
        times.append(time.perf_counter() - begin)
    report |= {"best": min(times), "processors": (processors() - spent) / len(times)}
    print(json.dumps(report))


# ---- all of them ----


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--modes", default="64,256,1024")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--venv", type=Path, default=ROOT / "target" / "peers")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rival", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rival:
        return rival(*arguments.rival, arguments.seconds, arguments.check)

    python = arguments.venv / "bin" / "python"
    if not python.exists():
        venv.create(arguments.venv, with_pip=True)
        pip = [python, "-m", "pip", "install", "-q"]
        subprocess.run([*pip, "torch", "--index-url", "https://download.pytorch.org/whl/cpu"]).returncode and subprocess.run(
            [*pip, "torch"], check=True
        )
        subprocess.run([*pip, "numpy", "jax", "neurophox"], check=True)
        subprocess.run([*pip, ROOT / "at-py"], check=True)

    build = ["cargo", "build", "--release", "-q", "-p", "at-benches", "--example", "mesh_gradient"]
    subprocess.run(build, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    example = target / "release" / "examples" / "mesh_gradient"
    print(f"{'modes':>5}  {'':16}{'ms':>9}{'ms, all processors':>20}{'memory, MB':>12}{'times ours':>12}{'(processors)':>14}")
    with tempfile.TemporaryDirectory() as folder:
        for modes in map(int, arguments.modes.split(",")):
            path = Path(folder) / f"{modes}.npz"
            repeats = max(5, 2_000_000 // modes**2)
            command = [example, str(arguments.batch), str(repeats), str(modes), path]
            ours = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            ours |= {"name": "this", "memory": ours["peak"]}
            rows = [ours]
            for name in RIVALS:
                check = ["--check"] if modes == 64 else []
                command = [python, __file__, "--rival", name, path, "--seconds", str(arguments.seconds), *check]
                done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                if done.returncode:
                    print(f"{modes:5}  {name:16}{done.stderr.strip().splitlines()[-1] if done.stderr else 'failed'}")
                    continue
                rows.append(json.loads(done.stdout.splitlines()[-1]))
            for row in rows:
                ratios = [row[key] / ours[key] for key in ("best", "processors")]
                print(
                    f"{modes:5}  {row['name']:16}{1e3 * row['best']:9.2f}{1e3 * row['processors']:20.2f}"
                    f"{row['memory'] / 1e6:12.1f}{ratios[0]:12.1f}{ratios[1]:14.1f}",
                    f"  {row['apart']:.1e} from ours" if "apart" in row else "",
                    flush=True,
                )
                if row.get("apart", 0.0) > 1e-4:
                    sys.exit(f"{row['name']} computes other numbers")
    turns = [python, Path(__file__).with_name("torch_layer.py"), example, "--batch", str(arguments.batch)]
    subprocess.run(turns, check=True)


if __name__ == "__main__":
    main()
