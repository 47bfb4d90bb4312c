#!/usr/bin/env bash
# Measures this machine's GPU in one call, in less than ten minutes: training steps of three meshes of 256 to 8192 modes, one mesh
# forward and backward beside a hand-vectorised PyTorch adjoint where torch sees the GPU, memory against depth. Writes every
# number to a file, one JSON object per line, and prints a table last.
#
#   benches/gpu.sh [--tiny] [--program PATH] [--out FILE] [--adapter NAME|INDEX]
#
# --tiny: sizes for software Vulkan, to test this script.  --program: a built measure_meshes, instead of building it here.
set -euo pipefail
cd "$(dirname "$0")/.."

modes=256,512,1024,2048,4096,8192 batch=1024 seconds=8 torch_modes=256,512,1024,2048,4096
adapter=hardware program= out=target/gpu.jsonl device=cuda
while [ $# -gt 0 ]; do
    case $1 in
        --tiny) modes=8,16,32 batch=16 seconds=0 torch_modes=8,16,32 adapter=any device=cpu; shift ;;
        --program) program=$2; shift 2 ;;
        --out) out=$2; shift 2 ;;
        --adapter) adapter=$2; shift 2 ;;
        *) sed -n '2,8p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2 ;;
    esac
done
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"

if [ -z "$program" ]; then
    cargo build --release --locked -p at-gpu --example measure_meshes >&2
    program=${CARGO_TARGET_DIR:-target}/release/examples/measure_meshes
fi
mkdir -p "$(dirname "$out")"
python=$(command -v python3 || true)
{
    echo "{\"commit\": \"$(git rev-parse --short HEAD 2>/dev/null || echo unknown)\", \"date\": \"$(date -u +%F)\"}"
    timeout 400 "$program" --adapter "$adapter" --modes "$modes" --batch "$batch" --seconds "$seconds" ||
        echo "{\"error\": \"measure_meshes ended with $?\"}"
    if [ -n "$python" ] && "$python" -c "import torch; assert '$device' == 'cpu' or torch.cuda.is_available()" 2>/dev/null; then
        timeout 150 "$python" benches/peers/torch_adjoint.py --modes "$torch_modes" --batch "$batch" --device "$device" \
            --seconds 5 || echo "{\"error\": \"torch_adjoint ended with $?\"}"
    fi
} | tee "$out" >&2

if [ -z "$python" ]; then
    echo "all numbers are in $out; the table needs python3"
    exit 0
fi
"$python" benches/gpu_table.py "$out"
