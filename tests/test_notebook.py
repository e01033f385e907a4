"""test_notebook.py - runs the notebooks as a reader would, and looks at what they printed.

The executed notebooks stay in notebooks/ of the build folder, as .ipynb and, with nbconvert, as .html.  Times are
never asserted: only counts, verdicts, what follows from published numbers, and that every figure is there.
"""
import os
import pathlib
import re
import shutil
import tempfile
import unittest

import case

try:
    import ipykernel                        # noqa: F401
    import matplotlib                       # noqa: F401
    import nbclient
    import nbformat
except ImportError as error:
    case.skip_all(f"{error.name} is missing (Debian: python3-nbclient python3-nbformat python3-ipykernel "
                  "python3-matplotlib)")

NOTEBOOKS = pathlib.Path(__file__).resolve().parents[1] / "notebooks"
BUILT = pathlib.Path("notebooks")


def execute(notebook):
    """Run all cells, in a folder of its own for settings, with the notebook's folder as the current one."""
    settings = tempfile.mkdtemp()
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        os.environ[name] = settings
    try:
        nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3",
                                resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()
    finally:
        shutil.rmtree(settings, ignore_errors=True)


def keep(notebook, name):
    BUILT.mkdir(exist_ok=True)
    nbformat.write(notebook, BUILT / f"{name}-executed.ipynb")
    try:
        from nbconvert import HTMLExporter
    except ImportError:
        return
    page, _ = HTMLExporter().from_notebook_node(notebook)
    (BUILT / f"{name}.html").write_text(page)


def printed(notebook):
    """All text that the cells printed or showed."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.get("text", "") + output.get("data", {}).get("text/markdown", "") + "\n"
                   for output in outputs)


class Notebook:
    """What is true of every notebook: `name`, the least number of `code_cells`, and `figures`."""

    @classmethod
    def setUpClass(cls):
        path = NOTEBOOKS / f"{cls.name}.ipynb"
        cls.committed = nbformat.read(path, as_version=4)
        cls.notebook = nbformat.read(path, as_version=4)
        execute(cls.notebook)
        keep(cls.notebook, cls.name)
        cls.text = printed(cls.notebook)

    def find(self, pattern):
        found = re.search(pattern, self.text)
        self.assertTrue(found, f"{pattern} is not in what the notebook printed:\n{self.text}")
        return found.group(1)

    def test_is_committed_without_outputs(self):
        for cell in self.committed.cells:
            self.assertFalse(cell.get("outputs") or cell.get("execution_count"), cell["id"])

    def test_every_cell_ran(self):
        cells = [cell for cell in self.notebook.cells if cell.cell_type == "code"]
        self.assertGreaterEqual(len(cells), self.code_cells)
        self.assertEqual([cell.execution_count for cell in cells], list(range(1, len(cells) + 1)))

    def test_figures(self):
        figures = [output for cell in self.notebook.cells for output in cell.get("outputs", [])
                   if "image/png" in output.get("data", {})]
        self.assertEqual(len(figures), self.figures)
        self.assertFalse([output for cell in self.notebook.cells for output in cell.get("outputs", [])
                          if output.get("name") == "stderr"], "a cell wrote warnings")


class WhySeparable(Notebook, unittest.TestCase):
    name, code_cells, figures = "01-why-separable", 11, 5

    def test_counts(self):
        ratio = 128 * 128 * 9 / (128 * 9 + 128 * 128)
        self.assertEqual(self.find(r"MAC ratio, counted: ([\d.]+)"), f"{ratio:.4f}")
        self.assertEqual(self.find(r"MAC ratio, formula: ([\d.]+)"), f"{ratio:.4f}")
        self.assertEqual(self.find(r"standard +([\d,]+) weights"), "147,456")
        self.assertEqual(self.find(r"separable +([\d,]+) weights"), "17,536")
        self.assertEqual(self.find(r"MobileNetV1: ([\d,]+) parameters"), "4,231,976")
        self.assertEqual(self.find(r"parameters, ([\d,]+) multiply-adds"), "568,740,352")
        self.assertEqual(self.find(r"nothing gained from n = (\d+)"), "114")

    def test_every_verdict_is_accept_but_the_one_that_is_wrong(self):
        verdicts = re.findall(r"^\w+_\d\d_\w+ +([A-Z]+) ", self.text, re.MULTILINE)
        self.assertEqual(verdicts, ["ACCEPT"] * 8)
        self.assertEqual(self.find(r"my_depthwise: ([A-Z]+)"), "ACCEPT")
        self.assertEqual(self.find(r"filter turned round: ([A-Z]+)"), "REJECT")

    def test_gains_are_numbers(self):
        for words in ("plain loops on both sides", r"plain depthwise \+ best pointwise",
                      r"unfolded depthwise \+ best pw"):
            self.assertGreater(float(self.find(words + r" +([\d.]+)")), 0)


class GpuOnCpu(Notebook, unittest.TestCase):
    name, code_cells, figures = "02-a-gpu-on-your-cpu", 12, 2

    @classmethod
    def setUpClass(cls):
        if not pathlib.Path("cuda/cuda-watched.so").exists():
            raise unittest.SkipTest("there was no C++20 compiler")
        super().setUpClass()

    def test_sectors(self):
        for step, x, y, first_cache in (1, "32.00", "32.00", "119,291,904"), (2, "4.92", "4.00", "11,624,448"):
            self.assertEqual(self.find(rf"step {step}: +([\d.]+) sectors a request of x"), x)
            self.assertEqual(self.find(rf"step {step}: .* x, +([\d.]+) of y;"), y)
            self.assertEqual(self.find(rf"step {step}: .*; +([\d,]+) bytes through the first cache"), first_cache)
        self.assertEqual(self.find(r"x, y and w, once each: ([\d,]+) bytes"), f"{4 * (2 * 64 * 56 * 56 + 64 * 9):,}")
        # the notebook's own model of the addresses; (5 + 4 + 5) / 3 away from the borders
        self.assertEqual(self.find(r"touch 5: ([\d.]+) on average"), "4.67")
        self.assertEqual(self.find(r"all lanes at one tap: ([\d.]+);"), "4.55")
        self.assertEqual(self.find(r"each at its own next one: ([\d.]+);"), "4.92")

    def test_every_step_reads_memory_once(self):
        steps = re.findall(r"^cuda_dw_0\d_\w+ +([\d,]+) +([\d,]+) ", self.text, re.MULTILINE)
        self.assertEqual([memory for _, memory in steps], ["1,607,936"] * 7)
        first_cache = [int(number.replace(",", "")) for number, _ in steps]
        self.assertEqual(first_cache[:6], sorted(first_cache[:6], reverse=True))
        self.assertEqual(first_cache[-2:], [1642496, 1728512])

    def test_each_missing_barrier_is_told_with_its_line(self):
        verdicts = re.findall(r"^without_(\w+) on .*: ([A-Z]+)$", self.text, re.MULTILINE)
        self.assertEqual(verdicts, [("first", "REJECT")] * 3 + [("second", "ACCEPT")] + [("second", "REJECT")] * 2)
        lines = (NOTEBOOKS.parent / "cuda/depthwise/cuda_dw_04_tile.cu").read_text().splitlines()
        stored, = [number for number, line in enumerate(lines, 1) if "tile[i * wide + j] =" in line]
        used, = [number for number, line in enumerate(lines, 1) if "sum += tile[" in line]
        self.assertEqual(int(self.find(r"written in line (\d+)")), stored)
        self.assertIn(int(self.find(r"reported: read in line (\d+)")), (used, used + 1))   # a statement of two lines
        self.assertIn(int(self.find(r"first\.cu:(\d+): thread \d+ reads shared memory that nobody wrote")),
                      (used, used + 1))

    def test_passes(self):
        passes = dict(re.findall(r"^pad +(\d+): ([\d.]+) passes a request", self.text, re.MULTILINE))
        self.assertEqual(passes, {"0": "4.00", "1": "4.00", "2": "4.00", "4": "2.00", "8": "1.00", "12": "2.00",
                                  "16": "2.00", "20": "2.00", "24": "1.00", "32": "4.00"})
        self.assertEqual(self.find(r"counted as predicted: (\w+)"), "True")
        self.assertEqual(self.find(r"without conflict, up to 32: ([\d, ]+)\."), "8, 24")

    def test_bounds(self):
        self.assertEqual(self.find(r"thread_per_output takes at least ([\d.]+) us, set by its bytes through"), "3.57")
        self.assertEqual(self.find(r"halo_by_shuffle takes at least ([\d.]+) us, set by its bytes from mem"), "0.48")
        self.assertEqual(self.find(r"by hand: .* = ([\d.]+) us"), "0.48")


class Claims(Notebook, unittest.TestCase):
    name, code_cells, figures = "03-claims", 8, 1

    def test_counts(self):
        self.assertEqual(self.find(r"MACs inside the image: ([\d,]+) and"), "112,869,376")
        self.assertEqual(self.find(r"112,869,376 and ([\d,]+):"), "14,608,640")
        # (S - P) / D of one pixel inside the image, where S = 64 * 64 * 9, P = 64 * 64, D = 64 * 9, less the borders
        self.assertEqual(self.find(r"\(S - P\) / D\$ = (\d+)"), "57")
        self.assertEqual(self.find(r"stack50: ([\d,]+) parameters"), "28,354,058")
        self.assertEqual(self.find(r"parameters, ([\d,]+) multiply-adds in a step"), f"{3 * 1847727502336:,}")

    def test_what_follows_from_published_numbers(self):
        self.assertEqual(self.find(r"best card of its year: ([\d.]+) s"), f"{3 * 1847727502336 / 8.2e12:.3f}")
        self.assertEqual(self.find(r"published with Adam +0.514 s: (.*),"), "by Winograd alone")
        self.assertEqual(self.find(r"published with SGD +0.112 s: (.*),"), "can't be")
        self.assertEqual(self.find(r"each group costs (\d+) ms; lowest"), "22")

    def test_what_was_measured(self):
        self.assertEqual(len(re.findall(r"GMAC/s and +[\d.-]+ us for each group", self.text)), 2)
        self.assertEqual(self.find(r"handed over before it was done: (\w+)"), "True")


if __name__ == "__main__":
    case.main()
