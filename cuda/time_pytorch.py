"""time_pytorch.py PROBLEM - what PyTorch takes for a forward problem on a card, by the card's clock.

    python3 cuda/time_pytorch.py "n=32 c=64 in=56x56 k=64 filter=3x3 pad=1 groups=64"

Prints problem, way, microseconds (median of 20 turns), version and card, as TSV: what it does by itself, its own
kernels, and cuDNN's where PyTorch has torch.backends.cudnn.flags(depthwise_kernel=...) to ask for them.  In f32
without TF32, cudnn.benchmark on, in the layout of the problem; a turn is 10 calls, on inputs that together are more
than the second cache holds.  Calls of a few microseconds are bound by Python's queue, and are no times of a kernel.
Needs PyTorch alone: problems are read here, with symmetric padding and without bias.  Status 77 without a card.
Not here: a verdict.  convref.peers verifies PyTorch.  Not run on a GPU yet.   Read next: run-on-gpu
"""
import sys

CALLS, TURNS, BEYOND_CACHE = 10, 20, 128 << 20   # bytes that no second cache holds


def read(text):
    """A problem line as a dict of lists of ints; layout as it stands."""
    problem = {"n": [1], "groups": [1], "stride": [1], "pad": [0], "dilation": [1], "layout": "nchw"}
    for word in text.split():
        key, value = word.split("=")
        if key == "layout":
            problem[key] = value
        elif key in ("n", "c", "k", "in", "filter", "stride", "pad", "dilation", "groups"):
            problem[key] = [int(number) for number in value.split("x")]
        else:
            sys.exit(f"time_pytorch.py: {word} isn't understood here: forward problems of one layer, without bias")
    for key in ("stride", "pad", "dilation"):
        problem[key] = problem[key] * (len(problem["in"]) // len(problem[key]))
    return problem


def ways(torch):
    """What to set around the calls, by name."""
    try:
        torch.backends.cudnn.flags(depthwise_kernel="native")
        return [("auto", {}), ("native", {"depthwise_kernel": "native"}), ("cudnn", {"depthwise_kernel": "cudnn"})]
    except TypeError:                       # before that flag was there
        return [("auto", {}), ("native", {"enabled": False})]


def microseconds(torch, problem, flags):
    """Median of the turns."""
    convolve = getattr(torch.nn.functional, f"conv{len(problem['in'])}d")
    shape = problem["n"] + problem["c"] + problem["in"]
    last = torch.channels_last if problem["layout"] == "nhwc" else torch.contiguous_format
    w = torch.randn(problem["k"] + [problem["c"][0] // problem["groups"][0]] + problem["filter"], device="cuda").to(
        memory_format=last)
    x = torch.randn(shape, device="cuda").to(memory_format=last)
    inputs = [x] + [x.clone(memory_format=torch.preserve_format) for _ in range(BEYOND_CACHE // x.nbytes)]
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    took, at = [], 0
    settings = {"enabled": True, "benchmark": True, "allow_tf32": False, **flags}
    with torch.inference_mode(), torch.backends.cudnn.flags(**settings):
        for turn in range(TURNS + 3):       # three to warm up
            begin.record()
            for _ in range(CALLS):
                convolve(inputs[at % len(inputs)], w, None, problem["stride"], problem["pad"], problem["dilation"],
                         problem["groups"][0])
                at += 1
            end.record()
            end.synchronize()
            took.append(begin.elapsed_time(end) / CALLS * 1e3)
    return sorted(took[3:])[TURNS // 2]


def main(text):
    problem = read(text)
    try:
        import torch
    except ImportError:
        print("time_pytorch.py: there is no PyTorch", file=sys.stderr)
        sys.exit(77)
    if not torch.cuda.is_available():
        print("time_pytorch.py: PyTorch sees no card", file=sys.stderr)
        sys.exit(77)
    print("problem\tway\tmicroseconds\tversion\tcard")
    for way, flags in ways(torch):
        print(text, way, f"{microseconds(torch, problem, flags):.2f}", torch.__version__,
              torch.cuda.get_device_name(), sep="\t")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
