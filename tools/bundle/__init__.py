"""One archive that needs no network: `make bundle`, or ``python -m tools.bundle``.

===============  ======================================================================
``pages``        the chapters, read from the built site in the order of the contents
``places``       one document of many pages: names made unique, links turned inwards
``backmatter``   solutions and answers go to the back; what is hidden is shown
``document``     the pages as one HTML text, to be printed
``press``        Chromium prints it, twice: the second time with its page numbers
``pdf_checks``   nothing cut off, every title in the outline, the contents right
``mathml``       TeX to MathML, by the site's MathJax
``epub``         the pages as an EPUB
``epub_checks``  what epubcheck says of it
``datasets``     the data of the chapters as CSV
``downloads``    the files and their sizes, on the site's first page
``contents``     what goes into the archive, and the words that come with it
``archive``      zip files that are the same bytes each time
===============  ======================================================================
"""
