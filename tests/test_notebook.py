"""test_notebook.py - runs the notebook as a reader would, and looks at what it printed.

The executed notebook stays in notebooks/ of the build folder, as .ipynb and, with nbconvert, as .html.  Times are
never asserted: only counts, verdicts, and that every figure is there.
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

NOTEBOOK = pathlib.Path(__file__).resolve().parents[1] / "notebooks/01-why-separable.ipynb"
BUILT = pathlib.Path("notebooks")


def execute(notebook):
    """Run all cells, in a folder of its own for settings, with the notebook's folder as the current one."""
    settings = tempfile.mkdtemp()
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        os.environ[name] = settings
    try:
        nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3",
                                resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    finally:
        shutil.rmtree(settings, ignore_errors=True)


def keep(notebook):
    BUILT.mkdir(exist_ok=True)
    nbformat.write(notebook, BUILT / "01-why-separable-executed.ipynb")
    try:
        from nbconvert import HTMLExporter
    except ImportError:
        return
    page, _ = HTMLExporter().from_notebook_node(notebook)
    (BUILT / "01-why-separable.html").write_text(page)


def printed(notebook):
    """All text that the cells printed or showed."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.get("text", "") + output.get("data", {}).get("text/markdown", "") + "\n"
                   for output in outputs)


class Notebook(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.committed = nbformat.read(NOTEBOOK, as_version=4)
        cls.notebook = nbformat.read(NOTEBOOK, as_version=4)
        execute(cls.notebook)
        keep(cls.notebook)
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
        self.assertGreater(len(cells), 10)
        self.assertEqual([cell.execution_count for cell in cells], list(range(1, len(cells) + 1)))

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

    def test_figures(self):
        figures = [output for cell in self.notebook.cells for output in cell.get("outputs", [])
                   if "image/png" in output.get("data", {})]
        self.assertEqual(len(figures), 5)
        self.assertFalse([output for cell in self.notebook.cells for output in cell.get("outputs", [])
                          if output.get("name") == "stderr"], "a cell wrote warnings")


if __name__ == "__main__":
    case.main()
