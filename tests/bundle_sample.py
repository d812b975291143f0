"""A built site of two chapters, small enough to print in a test.

It has what the book has: mathematics, figures, wide code, a table, exercises with
solutions, questions with answers, and links between its pages.
"""

import shutil
from pathlib import Path

from matplotlib.image import imsave

from tools import lossfn_site

VERSION = "1.2.3"
CONFIG = "title: A small book\nauthor: Somebody\n"
TOC = """\
root: index
parts:
  - caption: The only part
    chapters:
      - file: book/01-first
      - file: book/02-second
  - caption: Reference
    chapters:
      - file: book/words
"""
PAGE = """<!DOCTYPE html><html><head><script>window.MathJax = {{"options":
{{"enableMenu": false, "processHtmlClass": "math"}}}}</script></head><body>
<article class="bd-article">{0}</article></body></html>
"""
INDEX = """<section id="a-small-book"><h1>A small book</h1>
<p>What it is about: see <a href="book/01-first.html">chapter 1</a>.</p>
<section id="downloads"><h2>Downloads<a class="headerlink" href="#downloads">#</a></h2>
<p>Run make bundle.</p></section></section>
"""
LONG_LINE = "x" * 87 + "|"  # as long as a line of code may be
LONGER_LINE = " ".join(f"word{number:03d}" for number in range(30))

FIRST = f"""<section id="first"><h1><span class="section-number">1. </span>The first<a
class="headerlink" href="#first">#</a></h1>
<p>A <a href="words.html#term-loss">loss</a>, <a href="../genindex.html">indexed</a>, in
the <a href="02-second.html#wide">second chapter</a>:</p>
<div class="math notranslate" id="equation-eq-loss"><span class="eqno">(1.1)</span>\\[
\\ell = \\sum_k {" + ".join("p_k" for _ in range(60))} .
\\]</div>
<section id="code"><h2><span class="section-number">1.1. </span>Code</h2>
<div class="highlight"><pre>{LONG_LINE}\n{LONGER_LINE}\n</pre></div>
<figure id="fig"><img alt="A black square." src="../_images/square.png"/>
<figcaption><p><span class="caption-number">Fig. 1.1 </span>A square.</p></figcaption>
</figure></section>
<section id="questions"><h2>Questions</h2>
<p><strong>Question 1.</strong> Which is it?</p>
<details class="answer"><summary>The <code>wrong</code> one</summary>
<p>No. Why it is wrong.</p></details>
<details class="answer"><summary>The right one</summary>
<p>Yes. Why it is right.</p></details>
<div class="cell"><details class="hide"><summary>Show code cell source</summary>
<pre>why = "because"</pre></details></div></section>
<section id="exercises"><h2>Exercises</h2>
<div class="exercise admonition" id="ex-01-easy"><p class="admonition-title"><span
class="caption-number">Exercise 1.1 </span> (Easy)</p>
<section id="exercise-content"><p>Find <span class="math">\\(x^2\\)</span>.</p>
</section></div>
<div class="solution dropdown admonition" id="book/01-solution-1">
<p class="admonition-title">Solution to<a
href="#ex-01-easy"> Exercise 1.1 (Easy)</a></p>
<section id="solution-content"><p>The secret is 42.</p>
<details class="hide above-input"><summary>Show code cell source</summary>
<pre>hidden = 43</pre></details></section></div></section></section>
"""
CELLS = "".join(f"<td><p>column number {number}</p></td>" for number in range(12))
SECOND = f"""<section id="second"><h1><span class="section-number">2. </span>The second
</h1>{"<p>Text that takes its place on the page.</p>" * 60}
<section id="wide"><h2>Wide</h2><p>Before the table.</p>
<table><tr>{CELLS}</tr></table>
<p>After the table.</p></section></section>
"""
WORDS = """<section id="words"><h1>Words</h1><dl><dt id="term-loss">loss</dt>
<dd>What it costs.</dd></dl></section>
"""


def write_sample(folder: Path, first: str = FIRST) -> Path:
    """Write the sample: its settings into the folder, its site into the folder/html.

    Args:
        folder: an empty folder.
        first: the content of the first chapter.

    Returns:
        The folder of the site.
    """
    (folder / "_config.yml").write_text(CONFIG)
    (folder / "_toc.yml").write_text(TOC)
    site = folder / "html"
    pages = {"index": INDEX, "book/01-first": first}
    pages |= {"book/02-second": SECOND, "book/words": WORDS}
    for name, content in pages.items():
        path = site / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PAGE.format(content))
    (site / "_images").mkdir()
    imsave(site / "_images" / "square.png", [[0.0, 0.0], [0.0, 0.1]], cmap="gray")
    source = lossfn_site.mathjax_source()
    target = site / "_static" / "mathjax"
    shutil.copytree(source / lossfn_site.FONTS, target / lossfn_site.FONTS)
    shutil.copy2(source / lossfn_site.SCRIPT, target)
    return site
