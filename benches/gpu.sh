#!/usr/bin/env bash
# Measures this machine's GPU in one call, in less than ten minutes once it is built: steps of `at` and `at-adaptive` on three meshes of
# 256 to 8192 modes, one mesh with every kind of kernel, their products, matrix product and copy, memory against depth, fifty chips at
# once, and the same in PyTorch (a hand-vectorised adjoint, a dense layer, the device's rate of products in f32) where torch sees the
# GPU. Writes every number to a file, one JSON object per line, and prints tables and a verdict on every goal last. Exits with 1 where a
# case failed or is missing.
#
#   benches/gpu.sh [--tiny] [--programs FOLDER] [--out FILE] [--adapter NAME|INDEX]
#
# --tiny: sizes for software Vulkan, to test this script.  --programs: where measure_meshes and measure_chips are, instead of building
# them here.  PYTHON: the interpreter, python3 unless it is set.
set -euo pipefail
cd "$(dirname "$0")/.."

modes=256,512,1024,2048,4096,8192 batch=1024 seconds=3 limit=300 torch_modes=256,512,1024,2048,4096 torch_size=8192 torch_seconds=3
chips_modes=16,64 chips_samples=400 chips_repeats=5
adapter=hardware programs= out=target/gpu.jsonl device=cuda
while [ $# -gt 0 ]; do
    case $1 in
        --tiny)
            modes=8,16,32 batch=16 seconds=0 torch_modes=8,16,32 torch_size=64 torch_seconds=0 chips_modes=8,16 chips_samples=10
            chips_repeats=1 adapter=any device=cpu; shift ;;
        --programs) programs=$2; shift 2 ;;
        --out) out=$2; shift 2 ;;
        --adapter) adapter=$2; shift 2 ;;
        *) sed -n '2,11p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2 ;;
    esac
done
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"

if [ -z "$programs" ]; then
    cargo build --release --locked -p at-gpu --example measure_meshes --example measure_chips >&2
    programs=${CARGO_TARGET_DIR:-target}/release/examples
fi
mkdir -p "$(dirname "$out")"
python=$(command -v "${PYTHON:-python3}" || true)
# Stands in for a number: what a program left behind stays, and the last line says that it did not end well.
error() { echo "{\"error\": \"$1 ended with $2\"}"; }
{
    echo "{\"commit\": \"$(git rev-parse --short HEAD 2>/dev/null || echo unknown)\", \"date\": \"$(date -u +%F)\"," \
        "\"modes\": [$modes], \"batch\": $batch, \"chips_modes\": [$chips_modes], \"torch_modes\": [$torch_modes]}"
    timeout $((limit + 90)) "$programs/measure_meshes" --adapter "$adapter" --modes "$modes" --batch "$batch" --seconds "$seconds" \
        --limit "$limit" || error measure_meshes $?
    timeout 60 "$programs/measure_chips" --adapter "$adapter" --modes "$chips_modes" --samples "$chips_samples" --chips 50 \
        --repeats "$chips_repeats" || error measure_chips $?
    if [ -z "$python" ] || ! "$python" -c "import torch" 2>/dev/null; then
        echo '{"note": "no torch: comparisons left out"}'
    elif ! "$python" -c "import torch; assert '$device' == 'cpu' or torch.cuda.is_available()" 2>/dev/null; then
        echo '{"note": "no torch that sees the GPU: comparisons left out"}'
    else
        timeout 60 "$python" benches/peers/torch_products.py --modes "$torch_modes" --batch "$batch" --device "$device" \
            --size "$torch_size" --seconds "$torch_seconds" || error torch_products $?
        timeout 90 "$python" benches/peers/torch_adjoint.py --modes "$torch_modes" --batch "$batch" --device "$device" \
            --seconds "$torch_seconds" || error torch_adjoint $?
    fi
} | tee "$out" >&2

if [ -z "$python" ]; then
    echo "all numbers are in $out; tables and verdicts need python3"
    ! grep -q '"error"' "$out"
    exit
fi
"$python" benches/gpu_table.py "$out"
