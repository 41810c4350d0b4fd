"""Run each block of Python in a page of Markdown as a script of its own: ``python blocks.py README.md``."""

import re
import runpy
import sys
from pathlib import Path

for number, block in enumerate(re.findall(r"```python\n(.*?)```", Path(sys.argv[1]).read_text(), re.DOTALL)):
    print(f"== block {number}")
    script = Path(f"block_{number}.py")
    script.write_text(block)
    runpy.run_path(str(script), run_name="__main__")
