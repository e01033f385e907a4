"""photo.py - what a standard, a depthwise and a separable convolution can do to a photograph.

    python3 examples/photo.py [-o photo.png]

A separable layer is a standard layer whose filter is a product: w[k][c][r][s] = pw[k][c] * dw[c][r][s].  So each
separable layer has a standard twin that computes the same; the other way round it holds only if, for every input
channel c, the matrix of w[k][c] (a row for each k, a column for each tap) has rank 1.  With a channel multiplier M
the depthwise stage looks M times at each channel, and rank M is enough.

Everything is a small integer, so "the same" means the same bits: the program ends with 1 if it doesn't hold.
Not here: filters that were learned, and times (notebooks/01-why-separable.ipynb).
"""
import argparse
import pathlib
import sys

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "python"))
import convref                                   # noqa: E402  (the source tree's, if no other is installed)

# ---- filters, all of integers --------------------------------------------------------------------------------------

BLUR = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])                      # sums to 256
SEPIA = np.array([[6, 12, 3], [5, 11, 3], [4, 9, 2]])                  # sixteenths: red, green, blue of old paper
OUTLINE = np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]])          # 0 where nothing changes
ACROSS = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])                # change from left to right (Sobel)
DOWN = ACROSS.T                                                        # and from top to bottom
DIRECTIONS = np.array([[2, 0], [-1, 2], [-1, -2]])                     # red, green, blue: about 0, 120, 240 degrees


def per_channel(*filters):
    """The same looks at each of the three colours: K x 1 x R x S."""
    return np.array(filters * 3, np.float32)[:, None]


def mix(matrix):
    return np.array(matrix, np.float32)[:, :, None, None]


def composed(dw, pw, mult):
    """The filter of the standard twin: for each k and c the sum of that channel's looks, weighted by pw."""
    looks = dw.reshape(3, mult, *dw.shape[2:])
    return np.einsum("kcm,cmrs->kcrs", pw.reshape(len(pw), 3, mult), looks).astype(np.float32)


def nearest_product(w):
    """The best separable filter with one look at each channel: the first term of each channel's SVD."""
    dw, pw = np.zeros((3, 1) + w.shape[2:], np.float32), np.zeros((len(w), 3, 1, 1), np.float32)
    for c in range(3):
        u, s, v = np.linalg.svd(w[:, c].reshape(len(w), -1))
        dw[c, 0], pw[:, c, 0, 0] = v[0].reshape(w.shape[2:]), s[0] * u[:, 0]
    return dw, pw


def singular_values(w):
    """Of the red channel's matrix, relative to the first: how many of them aren't 0 is its rank."""
    s = np.linalg.svd(w[:, 0].reshape(len(w), -1), compute_uv=False)
    return s / s[0]


# ---- layers --------------------------------------------------------------------------------------------------------

class Layers:
    """Runs layers on one photograph and notes what they cost."""

    def __init__(self, x):
        self.x, self.rows = x, []

    def run(self, name, keys, **weights):
        size = weights["w"].shape[-1]
        problem = convref.Problem(f"{keys} c=3 in={self.x.shape[2]}x{self.x.shape[3]} filter={size}x{size} "
                                  f"pad={size // 2}")
        y = convref.run(problem, x=self.x, **weights)
        cost = convref.count(problem)
        self.rows.append((name, f"{cost['params']} weights, {cost['macs'] / 1e6:.1f} M multiply-adds"))
        print(f"{name:<44} {problem.kind:<10} {cost['params']:>4} weights {cost['macs']:>9} MACs")
        return y


def run_layers(x):
    """All layers: pictures by name, and the equalities that must hold."""
    layers = Layers(x)
    blur, sepia = per_channel(BLUR), mix(SEPIA)
    looks, directions = per_channel(ACROSS, DOWN), mix(np.hstack([DIRECTIONS] * 3))
    edges = composed(looks, directions, 2)
    outline = layers.run("depthwise: outlines, colour by colour", "k=3 groups=3", w=per_channel(OUTLINE))
    old = layers.run("separable: blur, then mix to sepia", "op=separable k=3", w=blur, pw=sepia)
    twin = layers.run("standard: the same, as one filter", "k=3", w=composed(blur, sepia, 1))
    rainbow = layers.run("standard: the direction of edges as colour", "k=3", w=edges)
    dw, pw = nearest_product(edges)
    poor = layers.run("separable: the nearest, one look a channel", "op=separable k=3", w=dw, pw=pw)
    rich = layers.run("separable: the same, two looks a channel", "op=separable mult=2 k=3", w=looks, pw=directions)
    equal = {"sepia: separable = standard": np.array_equal(old, twin),
             "edges: separable with mult=2 = standard": np.array_equal(rich, rainbow),
             "edges: separable with mult=1 is not": not np.allclose(poor, rainbow)}
    pictures = [x, np.abs(outline) / 1.5, old / (256 * 16), twin / (256 * 16),
                *(np.abs(one) / 5 for one in (rainbow, poor, rich))]
    return layers.rows, pictures, equal, (composed(blur, sepia, 1), edges)


# ---- the page ------------------------------------------------------------------------------------------------------

def show_singular_values(axis, sepia, edges):
    places = np.arange(3)
    axis.bar(places - 0.2, singular_values(sepia), 0.4, color="#a0703c", label="sepia: rank 1")
    axis.bar(places + 0.2, singular_values(edges), 0.4, color="#2a6fbb", label="edges: rank 2")
    axis.set_xticks(places, ["1st", "2nd", "3rd"])
    axis.set_box_aspect(2 / 3)
    axis.set_title("singular values of one channel's filters:\nas many looks are needed as aren't 0", fontsize=10)
    axis.legend(frameon=False, fontsize=9)
    axis.spines[["top", "right"]].set_visible(False)


def draw(path, rows, pictures, filters):
    plt.rcParams.update({"figure.constrained_layout.w_pad": 0.06, "figure.constrained_layout.h_pad": 0.1})
    figure, axes = plt.subplots(2, 4, figsize=(16, 6.6), constrained_layout=True)
    titles = [("the photograph", "coffee.jpg, CC0 Rachel Michetti")] + rows
    for axis, picture, (name, cost) in zip(axes.flat, pictures, titles):
        axis.imshow(np.moveaxis(picture[0], 0, -1).clip(0, 255).astype(np.uint8))
        axis.set_title(f"{name}\n{cost}", fontsize=10)
        axis.axis("off")
    show_singular_values(axes.flat[-1], *filters)
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--output", default="photo.png", help="the picture to write [%(default)s]")
    arguments = parser.parse_args()
    photograph = plt.imread(HERE / "data/coffee.jpg")
    x = np.ascontiguousarray(np.moveaxis(photograph, -1, 0)[None], dtype=np.float32)
    rows, pictures, equal, filters = run_layers(x)
    for claim, holds in equal.items():
        print(f"{claim}: {'holds' if holds else 'DOES NOT HOLD'}")
    draw(arguments.output, rows, pictures, filters)
    print("wrote", arguments.output)
    return not all(equal.values())


if __name__ == "__main__":
    sys.exit(main())
