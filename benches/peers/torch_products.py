"""Dense matrix products in PyTorch, to be compared with `measure_meshes` of at-gpu on the same GPU: the device's own rate of a real
product in f32 (TF32 off), and a dense complex64 layer of N modes, forward with its backward, which is what a mesh costs whoever
gives its structure up.

    torch_products.py --modes 256,512,1024 --batch 1024 [--device cuda] [--size 8192]

Prints one JSON object per case.
"""

import json

import torch

from torch_timing import flags, timed


def real_product(size, device):
    """A B in f32, [size, size] each."""
    generator = torch.Generator().manual_seed(1)
    a, b = (torch.randn(size, size, generator=generator).to(device) for _ in range(2))
    c = torch.empty_like(a)
    return lambda: torch.matmul(a, b, out=c)


def dense_layer(modes, batch, device):
    """U x in complex64 [modes, modes] [modes, batch], and the gradient of a loss of the powers behind it by U and by x."""
    generator = torch.Generator().manual_seed(1)
    draw = lambda *shape: torch.randn(*shape, dtype=torch.complex64, generator=generator).to(device)
    matrix, fields = (draw(modes, modes) / modes**0.5).requires_grad_(), draw(modes, batch).requires_grad_()
    error = torch.randn(modes, batch, generator=generator).to(device)

    def once():
        matrix.grad = fields.grad = None
        (error * (matrix @ fields).abs() ** 2).sum().backward()

    return once


def main():
    parser = flags(__doc__, "256,512,1024,2048,4096,8192")
    parser.add_argument("--size", type=int, default=8192, help="rows and columns of the real product")
    arguments = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")
    device, batch = arguments.device, arguments.batch
    name = torch.cuda.get_device_name() if device.startswith("cuda") else "CPU"
    common = {"torch": torch.__version__, "torch_device": name}

    seconds = timed(real_product(arguments.size, device), device, arguments.seconds)
    peak = {"case": "torch matrix product, f32", "size": arguments.size, "seconds": seconds}
    print(json.dumps(peak | {"tflops": 2e-12 * arguments.size**3 / seconds} | common), flush=True)
    for modes in arguments.modes:
        seconds = timed(dense_layer(modes, batch, device), device, arguments.seconds)
        # forward, and both gradients: three complex products
        rate = 3 * 8e-12 * modes**2 * batch / seconds
        line = {"case": "torch dense layer, complex64", "modes": modes, "batch": batch, "seconds": seconds}
        print(json.dumps(line | {"tflops": rate} | common), flush=True)


if __name__ == "__main__":
    main()
