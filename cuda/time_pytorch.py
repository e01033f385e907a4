"""time_pytorch.py PROBLEM... - what PyTorch takes for problems on a card, by the card's clock.

    python3 cuda/time_pytorch.py "n=32 c=64 in=56x56 k=64 filter=3x3 pad=1 groups=64"

Prints problem, way, microseconds (median of 31 calls), versions and card, as TSV: what it does by itself, its own
kernels, and cuDNN's where PyTorch has torch.backends.cudnn.flags(depthwise_kernel=...) to ask for them.  In f32
without TF32, cudnn.benchmark on, in the layout of the problem.  Timed as the rungs are (device/sweep.h): events around
one call, which waits in the card's queue behind a sweep of the second cache, so that Python's own time isn't told.
Needs PyTorch alone: problems are read here, with symmetric padding and without bias.  Status 77 without a card.
Not here: a verdict.  convref.peers verifies PyTorch.   Read next: run-on-gpu
"""
import sys

CALLS = 31


def read(text):
    """A problem line as a dict of lists of ints; layout as it stands."""
    problem = {"n": [1], "groups": [1], "stride": [1], "pad": [0], "dilation": [1], "layout": "nchw", "pass": "forward"}
    for word in text.split():
        key, value = word.split("=")
        if key in ("layout", "pass"):
            problem[key] = value
        elif key in ("n", "c", "k", "in", "filter", "stride", "pad", "dilation", "groups"):
            problem[key] = [int(number) for number in value.split("x")]
        else:
            sys.exit(f"time_pytorch.py: {word} isn't understood here: problems of one layer, without bias")
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


def calls(torch, problem):
    """The call that is timed, as a function of x and dy."""
    kernel = problem["k"] + [problem["c"][0] // problem["groups"][0]] + problem["filter"]
    w = torch.randn(kernel, device="cuda").to(memory_format=layout_of(torch, problem))
    how = problem["stride"], problem["pad"], problem["dilation"]
    groups = problem["groups"][0]
    if problem["pass"] == "forward":
        convolve = getattr(torch.nn.functional, f"conv{len(problem['in'])}d")
        return lambda x, dy: convolve(x, w, None, *how, groups)
    wanted = [problem["pass"] == "backward_data", problem["pass"] == "backward_weights", False]
    return lambda x, dy: torch.ops.aten.convolution_backward(dy, x, w, None, *how, False, [0] * len(problem["in"]),
                                                             groups, wanted)


def layout_of(torch, problem):
    return torch.channels_last if problem["layout"] == "nhwc" else torch.contiguous_format


def microseconds(torch, problem, flags):
    """Median of the calls."""
    call = calls(torch, problem)
    x = torch.randn(problem["n"] + problem["c"] + problem["in"], device="cuda").to(
        memory_format=layout_of(torch, problem))
    out = [(size + 2 * pad - dilation * (taps - 1) - 1) // stride + 1 for size, pad, dilation, taps, stride in zip(
        problem["in"], problem["pad"], problem["dilation"], problem["filter"], problem["stride"])]
    dy = torch.randn(problem["n"] + problem["k"] + out, device="cuda").to(memory_format=layout_of(torch, problem))
    second_cache = getattr(torch.cuda.get_device_properties(0), "L2_cache_size", 64 << 20)
    sweep = torch.empty(8 * second_cache, dtype=torch.uint8, device="cuda")
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    took = []
    settings = {"enabled": True, "benchmark": True, "allow_tf32": False, **flags}
    with torch.inference_mode(), torch.backends.cudnn.flags(**settings):
        for turn in range(CALLS + 3):       # three to warm up
            sweep.zero_()
            begin.record()
            call(x, dy)
            end.record()
            end.synchronize()
            took.append(begin.elapsed_time(end) * 1e3)
    return sorted(took[3:])[CALLS // 2]


def main(texts):
    problems = [(text, read(text)) for text in texts]
    try:
        import torch
    except ImportError:
        print("time_pytorch.py: there is no PyTorch", file=sys.stderr)
        sys.exit(77)
    if not torch.cuda.is_available():
        print("time_pytorch.py: PyTorch sees no card", file=sys.stderr)
        sys.exit(77)
    print("problem\tway\tmicroseconds\tversion\tcudnn\tcard")
    for text, problem in problems:
        for way, flags in ways(torch):
            print(text, way, f"{microseconds(torch, problem, flags):.2f}", torch.__version__,
                  torch.backends.cudnn.version(), torch.cuda.get_device_name(), sep="\t", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
